import type { Clock } from '../functions/common/clock.ts';
import type { Region } from '../functions/common/ids.ts';
import type { MachineClock } from './machine-clock.ts';
import type { Micros, VirtualTime } from './virtual-time.ts';

/** Something that happens to a process at one of its calls to the outside. */
export interface Interruption {
  /** Calls that count: those whose name begins so; all when left out. */
  readonly on?: string;
  /** Counted from 1. */
  readonly call: number;
  /** `before`: the call never leaves. `after`: it takes effect, and the process does not hear of it. */
  readonly when: 'before' | 'after';
  /** Dies, or stands still for so long and goes on as if nothing were. */
  readonly what: { readonly kind: 'dies' } | { readonly kind: 'freezes'; readonly for: Micros };
}

/**
 * One run of a function: what Lambda calls an invocation. Its code is the real one; this is the machine under it, which can stand still or
 * die between any two instructions that wait for something outside. A dead process hears of nothing any more, so its code just stops there.
 */
export class Process {
  readonly name: string;
  readonly region: Region;
  readonly clock: Clock;
  readonly machineClock: MachineClock;
  readonly #time: VirtualTime;
  readonly #interruption: Interruption | undefined;
  readonly #whenDead: (() => void)[] = [];
  /** Audited acts that this process has begun and not ended, by act id. */
  readonly openActs = new Set<string>();
  alive = true;
  #calls = 0;
  /** Something that it asked for was not answered. */
  hadTrouble = false;
  #frozenUntil: Micros = 0;

  constructor(given: {
    readonly name: string;
    readonly region: Region;
    readonly machineClock: MachineClock;
    readonly time: VirtualTime;
    readonly interruption?: Interruption | undefined;
  }) {
    const { name, region, machineClock, time, interruption } = given;
    this.name = name;
    this.region = region;
    this.machineClock = machineClock;
    this.#time = time;
    this.#interruption = interruption;
    this.clock = {
      now: () => machineClock.date(time.now),
      sleep: (milliseconds) =>
        new Promise((resolve) => {
          time.after(machineClock.timer(milliseconds), () => this.resume(resolve));
        }),
    };
  }

  /** Hands an answer to the code of the process: at once, when it stands still afterwards, when it is dead never. */
  resume(go: () => void): void {
    if (!this.alive) return;
    if (this.#frozenUntil > this.#time.now) this.#time.at(this.#frozenUntil, () => this.resume(go));
    else this.#time.wake(go);
  }

  freeze(length: Micros): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#time.now + length);
  }

  die(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const tell of this.#whenDead) tell();
  }

  whenDead(tell: () => void): void {
    this.#whenDead.push(tell);
  }

  /** Begins a call. @returns when it leaves the machine, undefined when it never does; and its number among those that count */
  beginCall(name: string): { readonly leaves: Micros | undefined; readonly number: number } {
    if (!this.alive) return { leaves: undefined, number: 0 };
    const on = this.#interruption?.on;
    const counts = on === undefined || name.startsWith(on);
    if (counts) this.#calls++;
    const number = counts ? this.#calls : 0;
    this.#interrupt('before', number);
    return { leaves: this.alive ? Math.max(this.#time.now, this.#frozenUntil) : undefined, number };
  }

  /** The call of that number has taken effect. */
  tookEffect(number: number): void {
    this.#interrupt('after', number);
  }

  #interrupt(when: Interruption['when'], number: number): void {
    const interruption = this.#interruption;
    if (interruption?.when !== when || interruption.call !== number) return;
    if (interruption.what.kind === 'dies') this.die();
    else this.freeze(interruption.what.for);
  }
}
