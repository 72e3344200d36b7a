import { mkdirSync, readdirSync, symlinkSync, writeSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { watchableNumbers } from '../../lab/failover/policy.ts';
import { writeResult } from '../performance-page.ts';
import { codeblue } from './codeblue.ts';
import { run } from './command.ts';
import { etcdVersion } from './etcd.ts';
import { patroni, type Ring } from './patroni.ts';
import { patroniDefaults, patroniMinimum, patroniSoonest } from './patroni-config.ts';
import { type PlayName, playOnce } from './plays.ts';
import { type Score, textReport } from './report.ts';
import { createSwitches } from './site.ts';
import { HOSPITAL_BYTES, makeTemplate, type Template } from './template.ts';

/**
 * How long a hospital cannot write when the region of its primary dies, and whether two primaries ever write at the same time: Codeblue and
 * Patroni on etcd, with the same PostgreSQL programs, the same data, the same writer, the same router (a look every 100 ms).
 * Rounds go through the contenders in turn. Started by scripts/bench-failover.mjs, which makes the namespaces that this needs.
 *
 *     npm run bench:failover [-- --kill 9] [-- --partition 3] [-- --alone 3] [-- --only Patroni] [-- --json] [-- --write]
 */
const { values } = parseArgs({
  options: {
    kill: { type: 'string', default: '9' },
    partition: { type: 'string', default: '3' },
    alone: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    venv: { type: 'string' },
    etcd: { type: 'string' },
  },
});
const { venv, etcd } = values;
if (venv === undefined || etcd === undefined) throw new TypeError('start it with npm run bench:failover');
const rounds = { kill: count('kill'), partition: count('partition'), alone: count('alone') };

const dir = tmpdir();
await createSwitches();
const template = await makeTemplate(dir);
const python = join(venv, 'bin', 'python');
const ring: Ring = { rival: { python, etcd, programs: linkPrograms(venv, template) }, template, dir };
const scores: readonly Score[] = [
  codeblue('Codeblue', watchableNumbers, HOSPITAL_BYTES),
  patroni('Patroni, defaults', patroniDefaults, 0.5, ring),
  patroni('Patroni, lowest times', patroniMinimum, 1, ring),
  patroni('Patroni, soonest', patroniSoonest, 1, ring),
]
  .filter(({ name }) => name.toLowerCase().startsWith(values.only.toLowerCase()))
  .map((contender) => ({ contender, kill: [], partition: [], alone: [], failures: [] }));
if (scores.length === 0) giveUp(`no contender's name begins with "${values.only}"`);

const load: number[] = [];
for (const play of ['kill', 'partition', 'alone'] as const) {
  for (let round = 0; round < rounds[play]; round++) {
    for (const score of scores) {
      load.push(loadavg()[0] ?? 0);
      const says = await playAndKeep(score, play, round);
      process.stderr.write(`${play} ${round + 1} of ${rounds[play]}, ${score.contender.name}: ${says}\n`);
    }
  }
}

const versions = `PostgreSQL ${template.postgresVersion}; Patroni ${await patroniVersion(python)} on etcd ${await etcdVersion(etcd)}`;
const circumstances = `${versions}; load average ${Math.min(...load).toFixed(1)} to ${Math.max(...load).toFixed(1)}, ${availableParallelism()} processors`;
const text = textReport(scores, circumstances);
writeSync(1, values.json ? `${JSON.stringify({ circumstances, scores }, null, 2)}\n` : text);
if (values.write) writeResult('failover', text);
const twoWriters = (score: Score): boolean => [...score.partition, ...score.alone].some(({ loserWrites }) => loserWrites > 0);
// Said outright: whatever a play that failed has left behind in this process ends with it.
process.exit(scores.some((score) => score.failures.length > 0 || (score.contender.atMost === undefined && twoWriters(score))) ? 1 : 0);

function count(option: PlayName): number {
  const text = values[option];
  return /^\d{1,4}$/.test(text) ? Number(text) : giveUp(`--${option} ${text}: how often, a whole number`);
}

function giveUp(reason: string): never {
  console.error(`error: ${reason}`);
  process.exit(2);
}

/** @returns what to say about it; a play that failed is in the report, and the exit code tells of it */
async function playAndKeep({ contender, failures, ...results }: Score, play: PlayName, round: number): Promise<string> {
  try {
    if (play === 'kill') results.kill.push(await playOnce(play, contender, round));
    else results[play].push(await playOnce(play, contender, round));
    return JSON.stringify(results[play].at(-1));
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    failures.push({ play, round, says });
    return `FAILED: ${says}`;
  }
}

/**
 * The lab's own PostgreSQL, and beside it the two programs that Patroni calls and the lab's package leaves out. Those are from a package on PyPI
 * and of the same major version; one prints the control file, the other asks whether the server answers.
 */
function linkPrograms(venv: string, { postgres }: Template): string {
  const programs = join(dir, 'programs');
  mkdirSync(programs);
  const [python] = readdirSync(join(venv, 'lib'));
  const tools = join(venv, 'lib', python ?? '', 'site-packages', 'embedded_postgres', 'pginstall', 'bin');
  for (const name of ['postgres', 'pg_ctl', 'initdb']) symlinkSync(join(dirname(postgres), name), join(programs, name));
  for (const name of ['pg_controldata', 'pg_isready']) symlinkSync(join(tools, name), join(programs, name));
  return programs;
}

async function patroniVersion(python: string): Promise<string> {
  return (await run(python, ['-c', 'import patroni.version as each; print(each.__version__)'])).trim();
}
