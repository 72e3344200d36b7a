import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../functions/', import.meta.url));
let hash: string | undefined;

/**
 * SHA-256 (hex) over the sources of everything that can judge, in order of their paths. The deployed system has the hash of
 * its bundle here; the lab runs the sources themselves.
 */
export function codeSha256(): string {
  if (hash === undefined) {
    const sum = createHash('sha256');
    for (const file of globSync('**/*.ts', { cwd: root }).sort())
      sum
        .update(file)
        .update('\0')
        .update(readFileSync(`${root}${file}`))
        .update('\0');
    hash = sum.digest('hex');
  }
  return hash;
}
