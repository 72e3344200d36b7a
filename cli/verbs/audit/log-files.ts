import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadObject } from '../../../functions/audit/log/append.ts';
import { InvalidInput, messageOf } from '../../../functions/common/errors.ts';

const absent = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/**
 * Objects of a log that lies in a directory of this machine. Read at once: to wait for a thread of the pool takes longer than to read so small a file.
 *
 * @returns reads an object; throws InvalidInput for a file that is there and cannot be read
 */
export const logFiles =
  (directory: string): ReadObject =>
  async (path) => {
    const file = join(directory, path);
    try {
      return readFileSync(file);
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string' && absent.has(error.code)) return undefined;
      throw new InvalidInput(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
    }
  };
