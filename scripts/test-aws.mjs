#!/usr/bin/env node
/**
 * `npm run test:aws`: the contract suites against the AWS adapters on a moto server (version in requirements-judges.txt).
 * It takes `moto_server` from .venv/ or from the PATH, or installs it into .venv/ with python3 and pip; where neither is
 * possible it says so and ends with 1. Arguments are passed on to vitest.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const inVenv = (program) => join(root, '.venv', process.platform === 'win32' ? 'Scripts' : 'bin', program);
const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

function giveUp(reason) {
  console.error(`test:aws cannot run: ${reason}`);
  console.error('It needs moto server as pinned in scripts/requirements-judges.txt; npm test does not need it.');
  process.exit(1);
}

function findMoto() {
  if (existsSync(inVenv('moto_server'))) return inVenv('moto_server');
  if (works('moto_server', ['--help'])) return 'moto_server';
  if (!works('python3', ['--version'])) giveUp('there is no moto_server and no python3 to install it with.');
  console.log('Installing moto server into .venv/ ...');
  if (spawnSync('python3', ['-m', 'venv', join(root, '.venv')], { stdio: 'inherit' }).status !== 0)
    giveUp('python3 cannot make a virtual environment.');
  const requirements = join(root, 'scripts', 'requirements-judges.txt');
  const installed = spawnSync(inVenv('python'), ['-m', 'pip', 'install', '--quiet', '-r', requirements], { stdio: 'inherit' });
  if (installed.status !== 0) giveUp('pip cannot install moto server.');
  return inVenv('moto_server');
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function untilItAnswers(url, server) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    if (server.exitCode !== null) giveUp(`moto server ended with ${server.exitCode}.`);
    const answered = await fetch(new URL('/moto-api/', url)).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  giveUp('moto server did not answer within 30 s.');
}

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const server = spawn(findMoto(), ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
server.on('error', (error) => giveUp(error.message));
const stop = () => server.kill();
process.on('exit', stop);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

await untilItAnswers(url, server);
const environment = {
  ...process.env,
  AWS_ENDPOINT_URL: url,
  // Whatever account the caller is signed in to: nothing here may reach it.
  AWS_ACCESS_KEY_ID: 'moto',
  AWS_SECRET_ACCESS_KEY: 'moto',
  AWS_SESSION_TOKEN: '',
  AWS_PROFILE: '',
  AWS_EC2_METADATA_DISABLED: 'true',
};
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = [vitest, 'run', '--config', join(root, 'vitest.aws.config.ts'), ...process.argv.slice(2)];
const tests = spawn(process.execPath, args, { cwd: root, env: environment, stdio: 'inherit' });
tests.on('exit', (code) => {
  // Not gone before the server is: the next run must not find two of them.
  server.once('exit', () => process.exit(code ?? 1));
  stop();
});
