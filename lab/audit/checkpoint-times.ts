import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Region } from '../../functions/common/ids.ts';
import type { Regions } from '../regions.ts';
import { auditLogDir } from './objects.ts';

const POLL_MS = 20;

/** When each log was seen to reach a size: looks at the published files again and again, as somebody outside would. */
export class CheckpointTimes {
  readonly #regions: Regions;
  readonly #generation: number;
  readonly #seen = new Map<Region, { readonly size: number; readonly atMs: number }[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(regions: Regions, generation: number) {
    this.#regions = regions;
    this.#generation = generation;
    this.#timer = setInterval(() => this.#look(), POLL_MS);
    this.#timer.unref();
  }

  /** Entries of the newest checkpoint that was seen. */
  size(region: Region): number {
    return this.#seen.get(region)?.at(-1)?.size ?? 0;
  }

  /** By `Date.now()`; undefined while the entry is in no published checkpoint. */
  integratedAtMs(region: Region, index: number): number | undefined {
    return this.#seen.get(region)?.find(({ size }) => size > index)?.atMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const region of this.#regions.names) {
      const size = checkpointSize(join(auditLogDir(this.#regions.paths(region)), String(this.#generation)));
      if (size === this.size(region)) continue;
      const seen = this.#seen.get(region) ?? [];
      seen.push({ size, atMs: Date.now() });
      this.#seen.set(region, seen);
    }
  }
}

/** Entries of the checkpoint that is published now; 0 while there is none. @param log directory of the generation */
export function checkpointSize(log: string): number {
  try {
    return Number(readFileSync(join(log, 'checkpoint'), 'utf8').split('\n')[1]);
  } catch {
    return 0;
  }
}
