/**
 * The audit log's figures, all in one run: sequencing on one core against a bare SHA-256 loop over the same bytes and against Tessera's POSIX driver, full verification against
 * Tessera's fsck, and what one proof reads. Everything lies in memory (/dev/shm) where there is such a thing, so that what is measured is not a disk.
 *
 * `node bench/audit.ts [--events 100000] [--rounds 5] [--large 1000000]`
 *
 * Tessera's own parts need Go (they are built once, pinned, below dist/); where there is none it says so and measures the rest.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installFsck } from '../lab/audit/fsck.ts';
import { hospitalLines } from '../lab/audit/hospital-events.ts';
import { type Cores, type Measured, measured, script } from './audit/measured.ts';
import { installTessera } from './audit/tessera.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    large: { type: 'string', default: '1000000' },
  },
});
const [events, rounds, large] = [Number(values.events), Number(values.rounds), Number(values.large)];
/** Tessera's default, and what our own sequencer takes. */
const tesseraBatches = [256, 2048] as const;

const inMemory = statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() ?? false;
const dir = mkdtempSync(join(inMemory ? '/dev/shm' : tmpdir(), 'codeblue-bench-'));
process.once('SIGINT', () => {
  rmSync(dir, { recursive: true, force: true });
  process.exit(130);
});
try {
  await sequencing();
  await verification();
} finally {
  rmSync(dir, { recursive: true, force: true });
}

interface Rival {
  readonly name: string;
  /** @returns events a second */
  readonly run: (round: number) => Promise<number>;
  readonly rates: number[];
}

async function sequencing(): Promise<void> {
  const lines = join(dir, 'events.jsonl');
  writeFileSync(lines, `${hospitalLines(1, 0, events, new Date()).join('\n')}\n`);
  const tessera = installTessera();
  const ours = async (what: string): Promise<number> => {
    const log = mkdtempSync(join(dir, 'ours-'));
    const { seconds } = await script(['audit/sequence-lines.ts', what, lines, log]);
    rmSync(log, { recursive: true, force: true });
    return events / seconds;
  };
  const theirs = async (batch: number): Promise<number> => {
    if (typeof tessera !== 'string') return Number.NaN;
    const log = mkdtempSync(join(dir, 'tessera-'));
    const { seconds } = await measured(tessera, ['-entries', lines, '-dir', log, '-batch', String(batch)]);
    rmSync(log, { recursive: true, force: true });
    return events / seconds;
  };
  const rivals: Rival[] = [
    { name: 'SHA-256 of each line, nothing else', run: () => ours('hash'), rates: [] },
    { name: 'Node alone: JSON parsed, written, hashed', run: () => ours('node'), rates: [] },
    { name: 'ours: JSON to published log', run: () => ours('all'), rates: [] },
    { name: 'ours: recorded events to published log', run: () => ours('sequence'), rates: [] },
    ...(typeof tessera === 'string' ? tesseraBatches : []).map((batch) => ({
      name: `Tessera POSIX: bytes to log, batches of ${batch}`,
      run: () => theirs(batch),
      rates: [],
    })),
  ];
  for (let round = 0; round < rounds; round += 1) for (const rival of rivals) rival.rates.push(await rival.run(round));
  const [hash, node, whole, sequencer, ...tesseras] = rivals.map(({ rates }) => median(rates));
  const shown = rivals.map(({ name, rates }) => `${name.padEnd(48)} ${perSecond(median(rates))}   (${rates.map(perSecond).join(', ')})`);
  console.log(
    [
      `Sequencing, one core, events of 1 KB, ${events.toLocaleString('en-US')} of them, ${rounds} rounds, files ${inMemory ? 'in memory' : 'on disk'}; events a second`,
      ...shown,
      `Node alone and the sequencer, one after the other: ${perSecond(1 / (1 / (node ?? Number.NaN) + 1 / (sequencer ?? Number.NaN))).trim()} a second, without a look at the events`,
      `ours, whole: ${percent(whole, hash)} of hashing alone; the sequencer by itself ${percent(sequencer, hash)}`,
      ...tesseras.map(
        (rate, index) =>
          `ours against Tessera with batches of ${tesseraBatches[index]}: whole ${times(whole, rate)}, the sequencer by itself ${times(sequencer, rate)} (objective: at least 1)`,
      ),
      ...(typeof tessera === 'string' ? [] : [`Tessera is not measured: ${tessera.reason}`]),
      '',
    ].join('\n'),
  );
}

async function verification(): Promise<void> {
  const log = mkdtempSync(join(dir, 'large-'));
  const made = await script(['audit/make-large-log.ts', String(large), log]);
  const proof = await script(['audit/prove-one.ts', log]);
  const judge = installFsck();
  const shown: string[] = [];
  for (const cores of ['one', 'all'] as const) {
    const [ours, theirs]: [Measured[], Measured[]] = [[], []];
    for (let round = 0; round < Math.min(rounds, 3); round += 1) {
      ours.push(await script(['audit/verify-copy.ts', log], cores));
      if (typeof judge === 'string') theirs.push(await judged(judge, log, cores));
    }
    const title = cores === 'one' ? 'one core' : `${availableParallelism()} cores`;
    shown.push(lineOf(`codeblue audit verify --log, ${title}`, ours));
    if (theirs.length > 0) {
      shown.push(lineOf(`Tessera's fsck, ${title}`, theirs));
      shown.push(`ours takes ${(secondsOf(ours) / secondsOf(theirs)).toFixed(2)} of fsck's time on ${title} (objective: at most 1)`);
    }
  }
  console.log(
    [
      `Full verification of ${large.toLocaleString('en-US')} events (made in ${made.seconds.toFixed(0)} s); memory: objective under 300 MB`,
      ...shown,
      ...(typeof judge === 'string' ? [] : [`fsck is not measured: ${judge.reason}`]),
      `Proof of one event: ${proof.says}`,
    ].join('\n'),
  );
}

function judged(program: string, log: string, cores: Cores): Promise<Measured> {
  const workers = cores === 'one' ? 1 : availableParallelism();
  const key = join(log, '1', 'verifier-key');
  return measured(program, ['-storage_url', `file://${log}/1/`, '-public_key', key, '-ui=false', '-N', String(workers)], cores);
}

function secondsOf(runs: readonly Measured[]): number {
  return median(runs.map(({ seconds }) => seconds));
}

function lineOf(name: string, runs: readonly Measured[]): string {
  const each = runs.map(({ seconds }) => seconds.toFixed(2)).join(', ');
  const megabytes = Math.round(Math.max(...runs.map((run) => run.megabytes)));
  return `${name.padEnd(48)} ${secondsOf(runs).toFixed(2)} s   (${each}), ${megabytes} MB at most`;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function perSecond(rate: number): string {
  return Math.round(rate).toLocaleString('en-US').padStart(9);
}

function percent(part = Number.NaN, whole = Number.NaN): string {
  return `${((100 * part) / whole).toFixed(0)} %`;
}

function times(one = Number.NaN, other = Number.NaN): string {
  return `${(one / other).toFixed(2)} times`;
}
