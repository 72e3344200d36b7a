/** Microseconds of simulated time since the run began. */
export type Micros = number;

export const microsPerSecond = 1_000_000;
export const toMicros = (seconds: number): Micros => Math.round(seconds * microsPerSecond);

interface Event {
  readonly at: Micros;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Takes an event out again before it happens. */
export type Cancel = () => void;

/**
 * A discrete event queue: time jumps from event to event, and events of one instant happen in the order in which they were asked for.
 * Nothing else moves time, so a run depends on its seed alone.
 */
export class VirtualTime {
  now: Micros = 0;
  /** Events that happened. */
  count = 0;
  #order = 0;
  #woken = false;
  readonly #heap: Event[] = [];

  /** @param at not before now; an instant that is past means now */
  at(at: Micros, run: () => void): Cancel {
    const event: Event = { at: Math.max(at, this.now), order: this.#order++, run };
    push(this.#heap, event);
    return () => {
      event.run = undefined;
    };
  }

  after(delay: Micros, run: () => void): Cancel {
    return this.at(this.now + delay, run);
  }

  /** Settles a promise that simulated code waits for; everything that follows from it happens before the next event. */
  wake(settle: () => void): void {
    this.#woken = true;
    settle();
  }

  /** Runs events until `isOver` holds, which is asked after each, or none is left. */
  async run(isOver: () => boolean): Promise<void> {
    await drained();
    while (!isOver()) {
      const event = pop(this.#heap);
      if (!event) return;
      if (!event.run) continue;
      this.now = event.at;
      this.count++;
      event.run();
      if (!this.#woken) continue;
      this.#woken = false;
      await drained();
    }
  }
}

/** Resolves when no promise job is left: Node runs the next tick only after the whole microtask queue (docs: `process.nextTick`). */
const drained = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Event[], event: Event): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const up = (index - 1) >> 1;
    const parent = heap[up];
    if (!parent || isBefore(parent, event)) break;
    heap[index] = parent;
    index = up;
  }
  heap[index] = event;
}

function pop(heap: Event[]): Event | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (!last || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    let down = 2 * index + 1;
    let child = heap[down];
    if (!child) break;
    const right = heap[down + 1];
    if (right && isBefore(right, child)) {
      child = right;
      down++;
    }
    if (isBefore(last, child)) break;
    heap[index] = child;
    index = down;
  }
  heap[index] = last;
  return first;
}
