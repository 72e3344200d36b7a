import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Region } from '../../functions/common/ids.ts';
import type { LinkState } from './link.ts';

/** What goes from one region to another: SQL of handlers and tools, the replication stream, HTTP. */
export const linkKinds = ['sql', 'replication', 'http'] as const;
export type LinkKind = (typeof linkKinds)[number];

const FaultState = z.strictObject({
  down: z.array(Region),
  /** Pairs of regions that cannot reach each other. */
  cuts: z.array(z.tuple([Region, Region])),
  /** Regions whose standby gets nothing of its primary's stream, although everything else passes. */
  held: z.array(Region),
});
type FaultState = z.output<typeof FaultState>;
const healthy: FaultState = { down: [], cuts: [], held: [] };

/**
 * The fault layer: which regions are down and which cannot reach each other. `faults.json` of the lab's directory, so that a process that
 * only looks into the lab meets the same faults. Whoever changes it also moves the links and ends the processes: see `Network`.
 */
export class Faults {
  readonly #path: string;

  constructor(labDir: string) {
    this.#path = join(labDir, 'faults.json');
  }

  isUp(region: Region): boolean {
    return !this.#read().down.includes(region);
  }

  /** Both are up, and no cut lies between them. */
  reaches(from: Region, to: Region): boolean {
    const { down, cuts } = this.#read();
    return !down.includes(from) && !down.includes(to) && !cuts.some((cut) => from !== to && cut.includes(from) && cut.includes(to));
  }

  /** What a link lets through; the processes of a region that is down are dead, which its links need not add to. */
  linkState(from: Region, to: Region, kind: LinkKind): LinkState {
    const { cuts, held } = this.#read();
    if (cuts.some((cut) => cut.includes(from) && cut.includes(to))) return 'cut';
    return kind === 'replication' && held.includes(from) ? 'held' : 'open';
  }

  setDown(region: Region, isDown: boolean): void {
    const { down, ...rest } = this.#read();
    this.#write({ ...rest, down: [...down.filter((each) => each !== region), ...(isDown ? [region] : [])] });
  }

  setCut(a: Region, b: Region, isCut: boolean): void {
    const { cuts, ...rest } = this.#read();
    const others = cuts.filter((cut) => !(cut.includes(a) && cut.includes(b)));
    this.#write({ ...rest, cuts: [...others, ...(isCut ? [[a, b] as [Region, Region]] : [])] });
  }

  setHeld(standby: Region, isHeld: boolean): void {
    const { held, ...rest } = this.#read();
    this.#write({ ...rest, held: [...held.filter((each) => each !== standby), ...(isHeld ? [standby] : [])] });
  }

  #read(): FaultState {
    try {
      return FaultState.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return healthy; // no file: nothing is wrong
    }
  }

  #write(state: FaultState): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(FaultState.parse(state)), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
