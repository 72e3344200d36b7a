import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import type { SequencerPorts } from '../../functions/audit/log/sequencer.ts';
import { sequencerPortsIn } from './sequencer-ports.ts';

/**
 * Sequences the log of one Region in a process of its own, and dies without a word once a pass has done its n-th call: `node sequencer-process.ts <lab directory> <region> <n>`.
 * Part of the lab's faults.
 */
const [, , dir, of, calls] = process.argv;
if (!dir || !of || !calls) throw new TypeError('usage: sequencer-process.ts <lab directory> <region> <calls of a pass>');

let left = Number(calls);
/** The same port; the process dies when one of them has answered often enough. */
function mortal<T extends object>(port: T): T {
  return new Proxy(port, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]) => {
        const answer: unknown = await Reflect.apply(member, target, given);
        left -= 1;
        if (left === 0) process.kill(process.pid, 'SIGKILL');
        return answer;
      };
    },
  });
}

const given = sequencerPortsIn(dir, of);
const ports: SequencerPorts = {
  ...given,
  auditHead: mortal(given.auditHead),
  auditQueue: mortal(given.auditQueue),
  auditObjects: mortal(given.auditObjects),
  checkpointSigner: mortal(given.checkpointSigner),
};
/** Passes that find nothing to do are short: they never come to the call that it is about. */
const TRIES = 2_000;
for (let tries = 0; tries < TRIES; tries += 1) {
  left = Number(calls);
  await sequenceOnce(ports).catch(() => {}); // somebody else was first, or died: the next pass finds out
  await given.clock.sleep(2);
}
