import { ServiceUnavailable } from '../functions/common/errors.ts';
import type { Region } from '../functions/common/ids.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';
import { type Micros, toMicros, type VirtualTime } from './virtual-time.ts';

/** How badly messages fare while the weather lasts. Requests and answers fare independently. */
export interface Weather {
  readonly from: Micros;
  readonly until: Micros;
  /** Each request and each answer is lost with this probability. */
  readonly loss: number;
  /** Each is late with this probability, by up to `delay`. */
  readonly late: number;
  readonly delay: Micros;
  /** A request takes effect a second time with this probability, as when a client library sends it again. */
  readonly repeated: number;
}

/** An answer that takes the server some time: the effect has begun, `finish` ends it at `at`. */
export class AnswersLater<T> {
  readonly at: Micros;
  readonly finish: () => T;

  constructor(at: Micros, finish: () => T) {
    this.at = at;
    this.finish = finish;
  }
}

export interface Request<T> {
  /** For timelines and errors. */
  readonly name: string;
  /** Asked when the request leaves: where it goes. */
  readonly to: () => Region;
  /** Happens at the server when the request arrives. */
  readonly effect: () => T | AnswersLater<T>;
  readonly timeout?: Micros;
}

const defaultTimeout = toMicros(3);
const pairOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** Which Regions are up, which pairs reach each other, and how messages fare between processes and services. */
export class Network {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #weather: Weather | undefined;
  readonly #down = new Set<Region>();
  readonly #cuts = new Set<string>();

  constructor(time: VirtualTime, random: Random, weather: Weather | undefined) {
    this.#time = time;
    this.#random = random;
    this.#weather = weather;
  }

  isUp(region: Region): boolean {
    return !this.#down.has(region);
  }

  reaches(a: Region, b: Region): boolean {
    return this.isUp(a) && this.isUp(b) && (a === b || !this.#cuts.has(pairOf(a, b)));
  }

  setUp(region: Region, up: boolean): void {
    if (up) this.#down.delete(region);
    else this.#down.add(region);
  }

  setCut(a: Region, b: Region, cut: boolean): void {
    if (cut) this.#cuts.add(pairOf(a, b));
    else this.#cuts.delete(pairOf(a, b));
  }

  /**
   * One call of a process to a service. The service may do what was asked although the caller hears that it did not answer, and long after
   * the caller gave up. @throws ServiceUnavailable; whatever the effect throws
   */
  call<T>(process: Process, request: Request<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { leaves, number } = process.beginCall(request.name);
      if (leaves === undefined) return; // a process that died waits for ever
      const call: Call<T> = {
        process,
        request,
        number,
        to: request.to(),
        givesUpAt: leaves + (request.timeout ?? defaultTimeout),
        resolve,
        reject,
      };
      const arrives = this.#arrival(leaves, process.region, call.to);
      if (arrives === undefined) this.#fail(call, call.givesUpAt, 'no answer in time');
      else this.#time.at(arrives, () => this.#arrive(call));
    });
  }

  #arrive<T>(call: Call<T>): void {
    const { process, to, request, givesUpAt } = call;
    if (!this.reaches(process.region, to)) {
      this.#fail(call, this.#random.chance(0.5) ? this.#time.now : givesUpAt, 'not reached');
      return;
    }
    if (this.#weatherNow && this.#random.chance(this.#weatherNow.repeated)) {
      this.#time.after(this.#random.int(1000, 3_000_000), () => {
        if (this.isUp(to)) outcome(request.effect);
      });
    }
    const result = outcome(request.effect);
    process.tookEffect(call.number);
    if (result.kind !== 'later') this.#answer(call, result);
    else this.#time.at(result.at, () => this.#answer(call, outcome(result.finish)));
  }

  #answer<T>(call: Call<T>, result: Outcome<T>): void {
    const { process, to, givesUpAt, resolve, reject } = call;
    const arrives = this.#arrival(this.#time.now, to, process.region);
    if (arrives === undefined || arrives > givesUpAt) {
      this.#fail(call, Math.max(givesUpAt, this.#time.now), 'no answer in time');
      return;
    }
    this.#time.at(arrives, () => {
      if (!this.reaches(to, process.region)) this.#fail(call, givesUpAt, 'the answer did not come through');
      else
        process.resume(() =>
          result.kind === 'failed' ? reject(result.error) : result.kind === 'done' ? resolve(result.value) : undefined,
        );
    });
  }

  #fail<T>({ process, request, to, reject }: Call<T>, at: Micros, why: string): void {
    process.hadTrouble = true;
    this.#time.at(at, () => process.resume(() => reject(new ServiceUnavailable(`${request.name} in ${to}: ${why}`))));
  }

  get #weatherNow(): Weather | undefined {
    const weather = this.#weather;
    return weather && this.#time.now >= weather.from && this.#time.now < weather.until ? weather : undefined;
  }

  /** When a message that leaves now arrives; undefined when it is lost. */
  #arrival(leaves: Micros, from: Region, to: Region): Micros | undefined {
    const usual = from === to ? this.#random.int(1_000, 8_000) : this.#random.int(30_000, 90_000);
    const weather = this.#weatherNow;
    if (!weather) return leaves + usual;
    if (this.#random.chance(weather.loss)) return undefined;
    return leaves + usual + (this.#random.chance(weather.late) ? this.#random.int(0, weather.delay) : 0);
  }
}

interface Call<T> {
  readonly process: Process;
  readonly request: Request<T>;
  readonly number: number;
  readonly to: Region;
  readonly givesUpAt: Micros;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'later'; readonly at: Micros; readonly finish: () => T };

function outcome<T>(effect: () => T | AnswersLater<T>): Outcome<T> {
  try {
    const value = effect();
    return value instanceof AnswersLater ? { kind: 'later', at: value.at, finish: value.finish } : { kind: 'done', value };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
