import { CodeblueError } from '../functions/common/errors.ts';

/** The lab cannot start or go on, for a reason outside of Codeblue: disk, port, platform, permissions, PostgreSQL's own refusal. */
export class LabUnavailable extends CodeblueError {
  override readonly name = 'LabUnavailable';
  readonly retryable = false;
}

/** A dump that cannot be loaded; the message names the line. */
export class DumpRefused extends CodeblueError {
  override readonly name = 'DumpRefused';
  readonly retryable = false;
}

/** The code of a system error (`ENOSPC`, `EACCES`), if that is what was thrown. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What a failure of the file system means for the lab in `dir`; anything else comes back as it was. */
export function explainFileError(error: unknown, dir: string): unknown {
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(dir, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new LabUnavailable(`the lab may not write to ${dir}`, {
        hint: 'Point TMPDIR at a directory that you may write to.',
        cause: error,
      });
    case 'ENOENT':
    case 'ENOTDIR':
      return new LabUnavailable(`the lab's directory ${dir} is not there`, {
        hint: 'Point TMPDIR at a directory that exists, and leave the directory of a running lab alone.',
        cause: error,
      });
    default:
      return error;
  }
}

export function diskFull(dir: string, cause?: unknown): LabUnavailable {
  return new LabUnavailable(`the disk that holds ${dir} is full`, {
    hint: 'Free some space, point TMPDIR at a larger disk, or ask for less data with --size 64MB.',
    cause,
  });
}
