import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import { sequencerMemory } from '../../functions/audit/log/sequencer.ts';
import { messageOf } from '../../functions/common/errors.ts';
import { endWithParent, tellParent } from './child-program.ts';
import { sequencerPortsIn } from './sequencer-ports.ts';

/**
 * Sequences the log of one Region in a process of its own, with the config that was deployed when it began, pass after pass: `node steady-sequencer.ts <lab directory> <region>`. Says the
 * generation of its config first, then that of each batch which it finished, and why a pass failed.
 */
const [, , dir = '', of = ''] = process.argv;
const PAUSE_MS = 50;
const ports = sequencerPortsIn(dir, of);
const memory = sequencerMemory();
endWithParent();
tellParent(String(ports.operations.audit.generation));
for (;;) {
  try {
    const { did } = await sequenceOnce(ports, memory);
    if (did === 'integrated') tellParent(String(memory.edge?.generation));
  } catch (error) {
    tellParent(messageOf(error)); // the next pass goes on where this one stopped
  }
  await ports.clock.sleep(PAUSE_MS);
}
