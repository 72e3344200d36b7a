import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import operations from '../codeblue.config.ts';
import { steps, tasks } from '../functions/tasks.ts';
import { type BundleOptions, bundleFunctions } from '../scripts/bundle.ts';

/**
 * How long the deployed bundle takes to load, and what other ways of bundling would take: the module part of a cold start.
 *
 *     node bench/lambda-init.ts [--rounds 20] [--json]
 *
 * Each measurement is a fresh Node process that imports the entry with the environment of one function; rounds go through
 * the variants in turn, so that a busy moment of the machine hits all of them. Process start-up itself is not counted.
 */
interface Variant {
  readonly name: string;
  readonly instead: NonNullable<BundleOptions['instead']>;
  readonly nodeOptions?: readonly string[];
  readonly compileCache?: boolean;
}

const variants: readonly Variant[] = [
  { name: 'deployed: one bundle, split, SDK inside', instead: {} },
  { name: 'SDK left to the runtime', instead: { external: ['pg-native', '@aws-sdk/*', '@smithy/*'] } },
  { name: 'not split', instead: { splitting: false } },
  { name: 'zod whole', instead: { plugins: [] } },
  { name: 'not minified', instead: { minify: false } },
  { name: 'with source maps in use', instead: { sourcemap: 'linked' }, nodeOptions: ['--enable-source-maps'] },
  { name: 'with a warm compile cache', instead: {}, compileCache: true },
];

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } } });
const rounds = Number(values.rounds);

// Inside the project: the variant with an external SDK finds it in node_modules, as it would in Lambda's runtime.
const parent = fileURLToPath(new URL('../dist', import.meta.url));
mkdirSync(parent, { recursive: true });
const directory = mkdtempSync(join(parent, 'bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const probe = `const start = performance.now(), before = process.cpuUsage();
await import(process.argv[1]);
const wall = performance.now() - start, { user, system } = process.cpuUsage(before);
process.stdout.write(wall + ' ' + (user + system) / 1000);`;

interface Sample {
  readonly milliseconds: number;
  /** On a busy machine the figure to compare. It counts compiler and collector threads too. */
  readonly processor: number;
}

function measure(entry: string, operation: string, { nodeOptions = [], compileCache }: Partial<Variant> = {}): Sample {
  const env = {
    AWS_REGION: operations.regions.primary,
    CODEBLUE_OPERATION: operation,
    CODE_SHA256: '0'.repeat(64),
    ISOLATED_SECURITY_GROUP_ID: 'sg-0abc1234',
    ...(compileCache ? { NODE_COMPILE_CACHE: join(directory, 'compile-cache') } : {}),
  };
  const args = [...nodeOptions, '--input-type=module', '-e', probe, '--', entry];
  const [wall, processor] = execFileSync(process.execPath, args, { env, encoding: 'utf8' }).split(' ');
  return { milliseconds: Number(wall), processor: Number(processor) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (value: number): number => Math.round(value * 10) / 10;

const built = await Promise.all(
  variants.map(async (variant, index) => {
    const bundle = await bundleFunctions({ operations, directory: join(directory, String(index)), instead: variant.instead });
    const bytes = readdirSync(bundle.directory)
      .filter((file) => file.endsWith('.js'))
      .reduce((sum, file) => sum + statSync(join(bundle.directory, file)).size, 0);
    return { ...variant, bytes, entry: pathToFileURL(join(bundle.directory, 'lambda.js')).href };
  }),
);
const [deployed] = built;
if (!deployed) throw new Error('there are no variants');

// The slowest function stands for all.
const each = [...tasks, ...steps].map(({ name }) => ({
  name,
  processor: median([1, 2, 3].map(() => measure(deployed.entry, name).processor)),
}));
const slowest = each.reduce((worst, next) => (next.processor > worst.processor ? next : worst));

const samples = new Map<string, Sample[]>(built.map(({ name }) => [name, []]));
for (const variant of built) measure(variant.entry, slowest.name, variant); // the file cache of the system, and the compile cache
for (let index = 0; index < rounds; index++) {
  for (const variant of built) samples.get(variant.name)?.push(measure(variant.entry, slowest.name, variant));
}
const medianOf = (name: string, of: keyof Sample): number => median((samples.get(name) ?? []).map((sample) => sample[of]));
const results = built.map(({ name, bytes }) => ({
  name,
  milliseconds: round(medianOf(name, 'milliseconds')),
  processorMilliseconds: round(medianOf(name, 'processor')),
  ratio: Math.round((100 * medianOf(name, 'milliseconds')) / medianOf(deployed.name, 'milliseconds')) / 100,
  kilobytes: Math.round(bytes / 1024),
}));

if (values.json) {
  process.stdout.write(`${JSON.stringify({ operation: slowest.name, rounds, results })}\n`);
} else {
  const table = new Table({ head: ['variant', 'ms, median', 'processor ms', 'ratio', 'KB of code'], style: { head: [], border: [] } });
  for (const each of results) table.push([each.name, each.milliseconds, each.processorMilliseconds, each.ratio, each.kilobytes]);
  process.stdout.write(
    `Module init of ${slowest.name}, the slowest of ${each.length} functions, median of ${rounds}\n${table.toString()}\n`,
  );
}
