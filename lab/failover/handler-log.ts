import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../functions/common/logger.ts';
import type { RegionPaths } from '../region.ts';

/** What handlers of a region log, as Lambda's log group has it: a line each, the time first. */
export const handlerLogFile = ({ root }: RegionPaths): string => join(root, 'handlers.log');

/** Writes to that file what it passes on to `also`. */
export function handlerLog(paths: RegionPaths, also: Logger): Logger {
  const write =
    (level: keyof Logger): Logger[keyof Logger] =>
    (message, facts) => {
      also[level](message, facts);
      const line = `${new Date().toISOString()} ${JSON.stringify({ level, message, ...facts })}\n`;
      appendFileSync(handlerLogFile(paths), line, { mode: 0o600 });
    };
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
