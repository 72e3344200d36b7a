import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TESSERA } from '../../lab/audit/fsck.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = join(root, 'dist', 'bench-audit', `tessera-${TESSERA}`);

/** Builds bench/audit/tessera/main.go over the pinned module, once. @returns the program, or why it cannot be had */
export function installTessera(): string | { readonly reason: string } {
  const program = join(directory, 'tessera');
  if (existsSync(program)) return program;
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) return { reason: 'there is no Go to build it with.' };
  console.error(`Building a log over Tessera's POSIX driver ${TESSERA} below dist/bench-audit/ ...`);
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  copyFileSync(fileURLToPath(new URL('tessera/main.go', import.meta.url)), join(partial, 'main.go'));
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' };
  for (const words of [
    ['mod', 'init', 'bench'],
    ['get', `github.com/transparency-dev/tessera@v${TESSERA}`],
    ['build', '-o', 'tessera', '.'],
  ]) {
    const { status, stderr } = spawnSync('go', words, { cwd: partial, env, encoding: 'utf8' });
    if (status !== 0) return { reason: `go ${words.join(' ')}: ${(stderr ?? '').trim().split('\n').at(-1)}` };
  }
  rmSync(directory, { recursive: true, force: true });
  renameSync(partial, directory);
  return program;
}
