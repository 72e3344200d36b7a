/** One promise of the scenario: what it says, whether it held in this run, and the figure that shows it. */
export interface PromiseResult {
  /** Row or promise id of the product, with a suffix where a row has several cases: `V1`, `V6.sequence-behind`, `P4`. */
  readonly id: string;
  readonly says: string;
  readonly held: boolean;
  readonly figure: string;
}

/** What `npm run -s lab -- --json` prints: one object, and nothing else on standard output. */
export interface LabReport {
  readonly scenario: string;
  readonly seed: number;
  readonly promises: readonly PromiseResult[];
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  /** Figures by name; units are in the names (`restoreSeconds`). */
  readonly measured: Readonly<Record<string, number>>;
  /** The config's objectives, under the same names where they compare. */
  readonly objectives: Readonly<Record<string, number>>;
}

/** Collects what a scenario finds while it runs. */
export class Findings {
  readonly #promises: PromiseResult[] = [];
  readonly #measured: Record<string, number> = {};
  readonly #objectives: Record<string, number> = {};

  /** Notes a promise; the last word on an id counts only if every earlier one held. */
  promise(id: string, says: string, held: boolean, figure: string): void {
    const index = this.#promises.findIndex((each) => each.id === id);
    const earlier = this.#promises[index];
    if (!earlier) this.#promises.push({ id, says, held, figure });
    else if (earlier.held) this.#promises[index] = { id, says, held, figure };
  }

  measure(name: string, value: number): void {
    this.#measured[name] = Math.round(value * 1000) / 1000;
  }

  objective(name: string, value: number): void {
    this.#objectives[name] = value;
  }

  get promises(): readonly PromiseResult[] {
    return this.#promises;
  }

  get measured(): Readonly<Record<string, number>> {
    return this.#measured;
  }

  get objectives(): Readonly<Record<string, number>> {
    return this.#objectives;
  }
}
