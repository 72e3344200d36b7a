import { rmSync } from 'node:fs';
import { endProcessesUnder } from './postgres/processes.ts';

/** Leaves nothing of the lab in `dir`: no process, no file. Synchronous, repeatable, never throws. */
export function reap(dir: string): void {
  for (let attempt = 0; attempt < 3; attempt++) {
    endProcessesUnder(dir);
    try {
      rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      return;
    } catch {
      // Something was still writing: once more.
    }
  }
}
