import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A judge that is a program of a Go module. */
export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** Its name for people. */
  readonly says: string;
  readonly package: string;
  /** Lines of a go.mod. */
  readonly requires: readonly string[];
  /** Versions of its own dependencies that the module proxy has in the place of those that it names: `module => module version`. */
  readonly replaces?: readonly string[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const judges = join(root, 'dist', 'judges');
const directoryOf = ({ name, version }: GoProgram): string => join(judges, `${name}-${version}`);
const fileIn = (directory: string, { name }: GoProgram): string => join(directory, process.platform === 'win32' ? `${name}.exe` : name);

/** Where it is, when it was installed before. */
export function installed(program: GoProgram): string | undefined {
  const file = fileIn(directoryOf(program), program);
  return existsSync(file) ? file : undefined;
}

/** Builds it below dist/judges/, once, out of what the Go module proxy has. @returns where it is, or why it cannot be had */
export function installGoProgram(program: GoProgram): string | { readonly reason: string } {
  const known = installed(program);
  if (known) return known;
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) return { reason: `there is no Go to build ${program.name} with.` };
  console.error(`Building ${program.says} below dist/judges/ ...`);
  const directory = directoryOf(program);
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const { requires, replaces = [] } = program;
  const lines = ['module judge', 'go 1.25', ...requires.map((each) => `require ${each}`), ...replaces.map((each) => `replace ${each}`)];
  writeFileSync(join(partial, 'go.mod'), `${lines.join('\n')}\n`);
  const { status, stderr } = spawnSync('go', ['build', '-o', fileIn(partial, program), program.package], {
    cwd: partial,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
  });
  if (status !== 0) return { reason: `Go cannot build it: ${(stderr ?? '').trim().split('\n').at(-1)}` };
  rmSync(directory, { recursive: true, force: true });
  renameSync(partial, directory);
  return fileIn(directory, program);
}
