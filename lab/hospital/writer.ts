import pg from 'pg';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import { seededRandom } from '../seeded-random.ts';
import { type Change, changes } from './changes.ts';
import { HOSPITAL_DATABASE } from './generate.ts';
import { journalInsert } from './journal.ts';

/** A transaction that PostgreSQL acknowledged. */
export interface AcknowledgedWrite {
  /** Never used twice by one writer; in the journal where there is one. */
  readonly id: number;
  readonly at: Date;
}

export interface WriterReport {
  readonly acknowledged: number;
  readonly failed: number;
  /** Acknowledged transactions a second since the start, pauses not counted. */
  readonly perSecond: number;
  readonly last: AcknowledgedWrite | undefined;
  /** By SQLSTATE, or by the code of a system error; no messages, they may quote values. */
  readonly errors: ReadonlyMap<string, number>;
}

export interface Writer {
  /** No transaction is open and none begins until `resume`. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends after the transactions that run; the last report. */
  stop(): Promise<WriterReport>;
  report(): WriterReport;
}

export interface WriterOptions {
  /** Asked again after each lost connection, so that the writer follows a failover. */
  readonly address: () => PgAddress;
  readonly connections: number;
  readonly seed: number;
  /** Transactions a second over all connections; as fast as they go when left out. */
  readonly perSecond?: number;
  /** Each transaction also inserts its id into the journal of the lab (see journal.ts), so that it can be looked for afterwards. */
  readonly journal?: boolean;
  /** Told of every acknowledged transaction, in the order of the answers, and which server gave it. */
  readonly onAcknowledged?: (write: AcknowledgedWrite, server: PgAddress) => void;
}

const RECONNECT_MS = 100;
/** `read_only_sql_transaction`: what a standby and a fenced primary answer to a write. The primary is elsewhere. */
const NO_PRIMARY = '25006';

/** Writes as a hospital would, on several connections, each transaction keeping every rule of the hospital pack true. */
export function startWriter(options: WriterOptions): Writer {
  const tally = new Tally();
  const gate = new Gate();
  const loops = Array.from({ length: options.connections }, (_, index) =>
    writeLoop(options, seededRandom(options.seed * 1000 + index), tally, gate),
  );
  return {
    async pause() {
      await gate.close(options.connections);
      tally.pause();
    },
    resume: () => {
      tally.resume();
      gate.open();
    },
    async stop() {
      gate.end();
      await Promise.all(loops);
      return tally.report();
    },
    report: () => tally.report(),
  };
}

async function writeLoop(
  { address, perSecond, connections, onAcknowledged, journal = false }: WriterOptions,
  random: () => number,
  tally: Tally,
  gate: Gate,
): Promise<void> {
  const betweenMs = perSecond === undefined ? 0 : (1000 * connections) / perSecond;
  let server = address();
  let client: pg.Client | undefined;
  while (await gate.pass()) {
    const startedAt = performance.now();
    try {
      if (!client) {
        server = address();
        client = await connect(server);
      }
      const id = tally.begin();
      await transaction(client, pick(random), random, journal ? id : undefined);
      const write = tally.acknowledge(id);
      onAcknowledged?.(write, server);
    } catch (error) {
      tally.fail(error);
      if (!(error instanceof pg.DatabaseError) || error.severity === 'FATAL' || error.code === NO_PRIMARY) {
        void client?.end().catch(() => {});
        client = undefined;
        await gate.wait(RECONNECT_MS);
      } else {
        await client?.query('ROLLBACK').catch(() => {});
      }
    }
    const restMs = betweenMs - (performance.now() - startedAt);
    if (restMs > 0) await gate.wait(restMs);
  }
  await client?.end().catch(() => {});
}

async function connect(address: PgAddress): Promise<pg.Client> {
  const client = new pg.Client({
    ...address,
    database: HOSPITAL_DATABASE,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    application_name: 'hospital',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function transaction(client: pg.Client, change: Change, random: () => number, id: number | undefined): Promise<void> {
  await client.query('BEGIN');
  await change.run(client, random);
  if (id !== undefined) await client.query(journalInsert, [id]);
  await client.query('COMMIT');
}

const totalWeight = changes.reduce((sum, { weight }) => sum + weight, 0);

function pick(random: () => number): Change {
  let at = random() * totalWeight;
  const found = changes.find(({ weight }) => {
    at -= weight;
    return at < 0;
  });
  return found ?? (changes[0] as Change);
}

class Tally {
  #begun = 0;
  #acknowledged = 0;
  #failed = 0;
  #last: AcknowledgedWrite | undefined;
  #writingMs = 0;
  #since: number | undefined = performance.now();
  readonly #errors = new Map<string, number>();

  begin(): number {
    return ++this.#begun;
  }

  acknowledge(id: number): AcknowledgedWrite {
    this.#acknowledged++;
    this.#last = { id, at: new Date() };
    return this.#last;
  }

  fail(error: unknown): void {
    this.#failed++;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'connection';
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  pause(): void {
    if (this.#since !== undefined) this.#writingMs += performance.now() - this.#since;
    this.#since = undefined;
  }

  resume(): void {
    this.#since ??= performance.now();
  }

  report(): WriterReport {
    const seconds = (this.#writingMs + (this.#since === undefined ? 0 : performance.now() - this.#since)) / 1000;
    const perSecond = seconds > 0 ? this.#acknowledged / seconds : 0;
    return { acknowledged: this.#acknowledged, failed: this.#failed, perSecond, last: this.#last, errors: new Map(this.#errors) };
  }
}

/** Lets the loops through, holds them, or sends them home. */
class Gate {
  #state: 'open' | 'closed' | 'ended' = 'open';
  #held = 0;
  readonly #waiting = new Set<() => void>();

  /** False when the writer has been stopped. */
  async pass(): Promise<boolean> {
    this.#held++;
    this.#wake();
    while (this.#state === 'closed') await this.#change();
    this.#held--;
    return this.#state === 'open';
  }

  async close(loops: number): Promise<void> {
    this.#state = 'closed';
    this.#wake();
    while (this.#state === 'closed' && this.#held < loops) await this.#change();
  }

  open(): void {
    if (this.#state === 'closed') this.#state = 'open';
    this.#wake();
  }

  end(): void {
    this.#state = 'ended';
    this.#wake();
  }

  /** Sleeps, but not through a stop or a pause. */
  async wait(milliseconds: number): Promise<void> {
    if (this.#state !== 'open') return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      this.#change(),
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds);
      }),
    ]);
    clearTimeout(timer);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
