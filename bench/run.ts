import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeResult } from './performance-page.ts';

/**
 * `npm run bench`: every benchmark, one after the other, each in a process of its own. What they print is the result.
 *
 *     npm run bench [-- --write] [-- --only fingerprint]
 *
 * `--write` puts it into docs/performance.md, between the marks of each benchmark.
 */
const benchmarks = ['fingerprint', 'fence', 'lambda-init', 'synth', 'aws-paper', 'incidents', 'audit', 'audit-paper'] as const;
const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, only: { type: 'string' }, 'pg-dump': { type: 'string' } },
});
const chosen = benchmarks.filter((name) => values.only === undefined || values.only === name);
if (chosen.length === 0) {
  console.error(`error: there is no benchmark "${values.only}"; there are: ${benchmarks.join(', ')}`);
  process.exit(2);
}

for (const name of chosen) {
  console.log(`\n${name}`);
  const more = name === 'fingerprint' && values['pg-dump'] ? ['--pg-dump', values['pg-dump']] : [];
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [script, ...more], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  console.log(stdout);
  if (status !== 0) process.exit(status ?? 1);
  if (values.write) writeResult(name, stdout);
}
