import type { Region } from '../../functions/common/ids.ts';
import type { Logger } from '../../functions/common/logger.ts';

const KEPT_LINES = 400;

/** The newest lines that handlers logged, to be shown when something did not happen. */
export class RecentLog {
  readonly #lines: string[] = [];

  of(region: Region): Logger {
    const note = (level: string) => (message: string, facts?: Readonly<Record<string, unknown>>) => {
      const at = new Date().toISOString().slice(11, 23);
      this.#lines.push(`${at} ${region} ${level} ${message}${facts ? ` ${JSON.stringify(facts)}` : ''}`);
      if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
    };
    return { info: note('info'), warn: note('warn'), error: note('error') };
  }

  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }
}
