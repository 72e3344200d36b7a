import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cosigned, type LateWitness } from '../../../functions/audit/log/cosign.ts';
import { consistencyProof } from '../../../functions/audit/log/proofs.ts';
import { witnessesPort } from '../../../functions/aws/audit/witnesses.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { checkpointSize } from '../../audit/checkpoint-times.ts';
import { hospitalLines } from '../../audit/hospital-events.ts';
import type { LabWitness } from '../../audit/lab-witness.ts';
import { SingleLog } from '../../audit/single-log.ts';
import { harms } from '../../audit/tampering.ts';
import { copyOf } from './copies.ts';
import type { AuditStage } from './stage.ts';

/** What a witness was asked to cosign, why it must not, and why it did not; undefined where it did. */
export interface Asked {
  readonly what: string;
  readonly wanted: LateWitness['why'];
  readonly why: LateWitness['why'] | undefined;
}

/** So many entries more than the log has. */
const LONGER = 40;

/**
 * Asks the witness, as the deployed code asks it, for what it must refuse. Whoever asks has the log's own key.
 *
 * @param given.older a checkpoint that was published before those which the witness cosigned
 */
export async function askForForks(
  stage: AuditStage,
  region: Region,
  { witness, older }: { readonly witness: LabWitness; readonly older: string },
): Promise<readonly Asked[]> {
  const { world } = stage;
  const size = checkpointSize(world.logDir(region));
  const ask = async (what: string, wanted: LateWitness['why'], note: string, from: number, log?: SingleLog): Promise<Asked> => {
    const { late } = await cosigned(note, {
      policy: { use: [{ url: witness.url, verifierKey: witness.verifierKey }], quorum: 1 },
      from,
      prove: async (old, to) => (log ? consistencyProof(async (path) => log.files.get(`${log.generation}/${path}`), old, to) : []),
      witnesses: witnessesPort(),
    });
    return { what, wanted, why: late[0]?.why };
  };
  const fork = forkOf(stage, region);
  await grow(stage, fork, size);
  const same = noteOf(fork);
  await grow(stage, fork, LONGER);
  const copy = copyOf(stage, region);
  const log = join(copy, String(fork.generation));
  harms['other-key'].do(log);
  return [
    await ask('another history of the same size', 'inconsistent', same, size, fork),
    await ask('a longer one', 'inconsistent', noteOf(fork), size, fork),
    await ask('an older checkpoint of the log', 'ahead', older, 0),
    await ask('the log signed by another key', 'untrusted-key', readFileSync(join(log, 'checkpoint'), 'utf8'), size),
  ];
}

/** A log of other events under the name and the key of the Region's. */
function forkOf({ world }: AuditStage, region: Region): SingleLog {
  const { lab, regions } = world;
  const signer = lab.ports(region).checkpointSigner;
  const audit = { ...lab.operations.audit, witnesses: { use: [], quorum: 0 } };
  const operations = { ...lab.operations, audit };
  return new SingleLog({ dir: mkdtempSync(join(regions.dir, 'fork-')), operations, region, clock: lab.clock, signer });
}

const AT_A_TIME = 500;

let grown = 0;
async function grow({ world }: AuditStage, log: SingleLog, entries: number): Promise<void> {
  for (let from = 0; from < entries; from += AT_A_TIME) {
    const some = Math.min(AT_A_TIME, entries - from);
    await log.take(hospitalLines(11, grown, some, world.lab.clock.now()));
    grown += some;
    await log.sequence();
  }
}

const noteOf = ({ root }: SingleLog): string => readFileSync(join(root, 'checkpoint'), 'utf8');
