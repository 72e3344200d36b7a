/**
 * `npm run judge:audit [-- --events 100000]`: Tessera's fsck, built from its pinned Go module, judges a log of our events that the deployed code made: it must accept the log and refuse
 * every tampered copy that one log alone can betray. Our watch must refuse those too, and the two that no judge can see who has not seen the log before. A witness that others
 * wrote (transparency.dev's omniwitness) cosigns the log as it grows, and must refuse what our watch refuses. Where there is no Go it says so and ends with 1; where the module proxy
 * lacks the witness it says so.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cosigned, type LateWitness } from '../functions/audit/log/cosign.ts';
import { consistencyProof } from '../functions/audit/log/proofs.ts';
import { witnessesPort } from '../functions/aws/audit/witnesses.ts';
import { systemClock } from '../functions/common/clock.ts';
import { Region } from '../functions/common/ids.ts';
import { memoryAuditWatchMemory } from '../functions/memory/audit/watch-memory.ts';
import { memoryItemStore } from '../functions/memory/item-store.ts';
import { type FsckVerdict, fsck, installFsck } from '../lab/audit/fsck.ts';
import { hospitalLines } from '../lab/audit/hospital-events.ts';
import { installOmniwitness, type Omniwitness, startOmniwitness } from '../lab/audit/omniwitness.ts';
import { SingleLog } from '../lab/audit/single-log.ts';
import { type Harm, harmNames, harms } from '../lab/audit/tampering.ts';
import { watchLog } from '../lab/audit/watched-log.ts';
import { labOperations, labRegions } from '../lab/operations.ts';

const { values } = parseArgs({ options: { events: { type: 'string', default: '100000' } } });
const size = Number(values.events);
/** Where the log stood when its older copy was made. */
const olderSize = Math.floor(size * 0.9);
const region = Region.parse(labRegions.primary);
const viewer = Region.parse(labRegions.standby);
const TAKEN_AT_A_TIME = 500;

const binary = installFsck();
if (typeof binary !== 'string') {
  console.error(`judge:audit cannot run: ${binary.reason}`);
  console.error('It needs Go, to build the judge from its module; npm run lab and npm test do not.');
  process.exit(1);
}
const dir = mkdtempSync(join(tmpdir(), 'codeblue-judge-'));
const verdicts: { readonly name: string; readonly isRight: boolean; readonly says: string }[] = [];
try {
  await judge(binary);
  await judgeByWitness();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
const wrong = verdicts.filter(({ isRight }) => !isRight);
console.log(`${verdicts.length - wrong.length} of ${verdicts.length} verdicts as they must be`);
process.exit(wrong.length === 0 ? 0 : 1);

function note(name: string, isRight: boolean, says: string): void {
  verdicts.push({ name, isRight, says });
  console.log(`${isRight ? 'right' : 'WRONG'}  ${name.padEnd(58)} ${says}`);
}

async function judge(program: string): Promise<void> {
  const log = new SingleLog({ dir: join(dir, 'log'), operations: labOperations('hms', []), region, clock: systemClock });
  await fill(log, 1, olderSize);
  const older = await log.copyTo(join(dir, 'older'));
  const fork = await log.copyTo(join(dir, 'fork'));
  const memory = memoryAuditWatchMemory(memoryItemStore(systemClock));
  note('our watch: the log as it began', (await watchLog(log, viewer, memory)).length === 0, `${olderSize} entries read`);
  await fill(log, 2, size - olderSize);
  await fill(fork, 3, size - olderSize);
  accepts('fsck: the log', await fsck(program, log.root));
  note('our watch: the log, grown', (await watchLog(log, viewer, memory)).length === 0, `${size} entries, consistent with those before`);

  for (const name of harmNames) await harmed(program, log, name);
  for (const [name, copy, code] of [
    ['an older log put back whole', older, 'AuditLogTruncated'],
    ['another history of the same size', fork, 'AuditLogForked'],
  ] as const) {
    // By itself each of them is sound: what tells is what was seen before.
    accepts(`fsck: ${name} (sound by itself)`, await fsck(program, copy.root));
    const findings = await watchLog(copy, viewer, memory);
    note(
      `our watch: ${name}`,
      findings.some((finding) => finding.code === code),
      findings.map((finding) => finding.code).join(', ') || 'found nothing',
    );
  }
}

/** The same order of things as our own lab's witness sees (`npm run lab -- audit --only witness`). */
async function judgeByWitness(): Promise<void> {
  const witnessBinary = installOmniwitness();
  if (typeof witnessBinary !== 'string') {
    console.log(`not asked: no witness that others wrote cosigns here. ${witnessBinary.reason}`);
    return;
  }
  const entries = 2_000;
  const log = new SingleLog({ dir: join(dir, 'witnessed'), operations: labOperations('hms', []), region, clock: systemClock });
  await fill(log, 4, entries);
  const witness = await startOmniwitness(
    witnessBinary,
    join(dir, 'omniwitness'),
    readFileSync(join(log.root, 'verifier-key'), 'utf8').trim(),
  );
  try {
    cosigns('omniwitness: the log as it began', await asked(witness, log, 0));
    const [older, fork] = [checkpointOf(log), await log.copyTo(join(dir, 'witnessed-fork'))];
    await fill(log, 5, entries);
    cosigns('omniwitness: the log, grown', await asked(witness, log, entries));
    await fill(fork, 6, entries);
    refuses('omniwitness: another history of the same size', 'inconsistent', await asked(witness, fork, 2 * entries));
    await fill(fork, 7, entries);
    refuses('omniwitness: a longer one', 'inconsistent', await asked(witness, fork, 2 * entries));
    refuses('omniwitness: an older log put back whole', 'ahead', await asked(witness, log, 0, older));
    harms['other-key'].do(fork.root);
    // With status 500, where C2SP tlog-witness wants 403: a refusal all the same.
    refuses('omniwitness: a checkpoint of another key', 'no-answer', await asked(witness, fork, 2 * entries));
  } finally {
    await witness.stop();
  }
}

function checkpointOf({ root }: SingleLog): string {
  return readFileSync(join(root, 'checkpoint'), 'utf8');
}

/** By the deployed code. @returns why the witness did not cosign; undefined where it did */
async function asked(witness: Omniwitness, log: SingleLog, from: number, checkpoint = checkpointOf(log)): Promise<LateWitness | undefined> {
  const { late } = await cosigned(checkpoint, {
    policy: { use: [witness], quorum: 1 },
    from,
    prove: (old, to) => consistencyProof(async (path) => log.files.get(`${log.generation}/${path}`), old, to),
    witnesses: witnessesPort(),
  });
  return late[0];
}

function cosigns(name: string, late: LateWitness | undefined): void {
  note(name, late === undefined, late?.says ?? 'cosigned');
}

function refuses(name: string, why: LateWitness['why'], late: LateWitness | undefined): void {
  note(`${name}: refused`, late?.why === why, late === undefined ? 'COSIGNED' : `${late.why}: ${late.says}`);
}

async function harmed(program: string, log: SingleLog, name: Harm): Promise<void> {
  const copy = await log.copyTo(join(dir, name));
  harms[name].do(copy.root, size);
  const { accepted, says } = await fsck(program, copy.root);
  note(`fsck refuses: ${harms[name].says}`, !accepted, says);
  const memory = memoryAuditWatchMemory(memoryItemStore(systemClock)); // it has seen nothing before
  const findings = await watchLog(copy, viewer, memory);
  note(
    `our watch refuses: ${harms[name].says}`,
    findings.length > 0,
    findings.map(({ code, subject }) => `${code} ${subject}`).join(', ') || 'found nothing',
  );
  rmSync(join(dir, name), { recursive: true, force: true });
}

function accepts(name: string, { accepted, says }: FsckVerdict): void {
  note(name, accepted, says);
}

async function fill(log: SingleLog, seed: number, count: number): Promise<void> {
  for (let from = 0; from < count; from += TAKEN_AT_A_TIME) {
    await log.take(hospitalLines(seed, from, Math.min(TAKEN_AT_A_TIME, count - from), systemClock.now()));
    await log.sequence();
  }
}
