#!/usr/bin/env node
/**
 * `npm run judge:templates`: synthesizes everything, then lets cfn-lint (version in requirements-judges.txt) judge every
 * template. It takes cfn-lint from .venv/ or from the PATH, or installs it into .venv/ with python3 and pip; where neither is
 * possible it says so and ends with 1. Any finding, warnings included, ends it with cfn-lint's own code.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const requirements = join(root, 'scripts', 'requirements-judges.txt');
const wanted = /^cfn-lint==(.+)$/m.exec(readFileSync(requirements, 'utf8'))?.[1];
const inVenv = (program) => join(root, '.venv', process.platform === 'win32' ? 'Scripts' : 'bin', program);
const run = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
const versionOf = (command) => /cfn-lint (\S+)/.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];

function giveUp(reason) {
  console.error(`judge:templates cannot run: ${reason}`);
  console.error(`It needs cfn-lint ${wanted}, as pinned in scripts/requirements-judges.txt; npm run synth and npm test do not.`);
  process.exit(1);
}

function findCfnLint() {
  for (const candidate of [inVenv('cfn-lint'), 'cfn-lint']) if (versionOf(candidate) === wanted) return candidate;
  if (spawnSync('python3', ['--version']).status !== 0) giveUp('there is no such cfn-lint and no python3 to install it with.');
  console.error('Installing cfn-lint into .venv/ ...');
  if (!existsSync(inVenv('python')) && run('python3', ['-m', 'venv', join(root, '.venv')]) !== 0)
    giveUp('python3 cannot make a virtual environment.');
  if (run(inVenv('python'), ['-m', 'pip', 'install', '--quiet', `cfn-lint==${wanted}`]) !== 0) giveUp('pip cannot install it.');
  return inVenv('cfn-lint');
}

const cfnLint = findCfnLint();
const assembly = join(root, 'cdk.out');
rmSync(assembly, { recursive: true, force: true }); // templates of an earlier config are not to be judged
const synthesized = run(process.execPath, [join(root, 'bin', 'app.ts')]);
if (synthesized !== 0) process.exit(synthesized);
const templates = readdirSync(assembly).filter((file) => file.endsWith('.template.json'));
if (templates.length === 0) giveUp('synth left no template in cdk.out.');
const judged = run(
  cfnLint,
  templates.map((file) => join(assembly, file)),
);
if (judged === 0) console.error(`cfn-lint ${wanted}: no finding in ${templates.length} templates`);
process.exit(judged);
