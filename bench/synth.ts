import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';

/**
 * How long `npm run synth` takes, all of it: bundling, three Regions, CloudFormation's checks, cdk-nag. Beside it, parts of
 * the same work, to tell what the time goes to.
 *
 *     node bench/synth.ts [--rounds 5] [--json]
 *
 * Each measurement is a fresh process, counted from its start. Processor seconds stand beside the wall's: on a busy machine
 * they are the figure to compare.
 */
const target = { wallSeconds: 5 };

const work = {
  everything: `await import(new URL('bin/app.ts', root));`,
  'templates only': `
    const { default: operations } = await import(new URL('codeblue.config.ts', root));
    const { synthesizedMachines } = await import(new URL('lib/synthesized.ts', root));
    synthesizedMachines(operations);`,
  'loading the CDK': `await import(new URL('lib/codeblue-app.ts', root));`,
} as const;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } } });
const rounds = Number(values.rounds);
const root = new URL('..', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'codeblue-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

interface Sample {
  readonly wallSeconds: number;
  readonly processorSeconds: number;
}

function measure(script: string): Sample {
  const probe = `const root = ${JSON.stringify(root.href)};
    ${script}
    const { user, system } = process.cpuUsage();
    process.stdout.write(performance.now() + ' ' + (user + system));`;
  const options = { env: { ...process.env, CDK_OUTDIR: directory }, encoding: 'utf8' as const, stdio: 'pipe' as const };
  const [wall = '', processor = ''] = execFileSync(process.execPath, ['--input-type=module', '-e', probe], options).split(' ');
  return { wallSeconds: Number(wall) / 1e3, processorSeconds: Number(processor) / 1e6 };
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const round = (value: number): number => Math.round(value * 100) / 100;

const samples = new Map<string, Sample[]>(Object.keys(work).map((name) => [name, []]));
for (const script of Object.values(work)) measure(script); // fills the compile cache, as any run after the first finds it
for (let index = 0; index < rounds; index++) {
  for (const [name, script] of Object.entries(work)) samples.get(name)?.push(measure(script));
}
const all = median((samples.get('everything') ?? []).map((sample) => sample.wallSeconds));
const results = [...samples].map(([name, of]) => ({
  name,
  wallSeconds: round(median(of.map((sample) => sample.wallSeconds))),
  processorSeconds: round(median(of.map((sample) => sample.processorSeconds))),
  ratio: round(median(of.map((sample) => sample.wallSeconds)) / all),
}));

if (values.json) {
  process.stdout.write(`${JSON.stringify({ rounds, target, results })}\n`);
} else {
  const table = new Table({ head: ['npm run synth', 's, median', 'processor s', 'ratio'], style: { head: [], border: [] } });
  for (const { name, wallSeconds, processorSeconds, ratio } of results) table.push([name, wallSeconds, processorSeconds, ratio]);
  process.stdout.write(
    `${table.toString()}\nmedian of ${rounds}; the target is ${target.wallSeconds} s for everything on an idle machine\n`,
  );
}
