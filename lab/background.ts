/** Work that goes on after the call that started it returned: snapshots, copies, restores, standbys being made. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  /** Restores under way, by their directory: removing one ends it first. */
  readonly restores = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();

  /** @param work reports its own failure: it must not throw */
  run(work: Promise<void>): void {
    const job = work.finally(() => this.#running.delete(job));
    this.#running.add(job);
  }

  /** Resolves when nothing that was started runs any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
