import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, Timestamp } from '../../functions/common/ids.ts';
import { type CoordinationRecord, Epoch } from '../../functions/failover/models.ts';
import { CoordinationTable } from '../../simulation/coordination-table.ts';
import { DatabaseServer, type LogEntry } from '../../simulation/database-server.ts';
import { MachineClock, trueClock } from '../../simulation/machine-clock.ts';
import { Network } from '../../simulation/network.ts';
import { primary, standby, witness } from '../../simulation/operations.ts';
import { Process } from '../../simulation/process.ts';
import { seededRandom } from '../../simulation/random.ts';
import { toMicros, VirtualTime } from '../../simulation/virtual-time.ts';

const epoch = (number: number) => Epoch.parse(number);

describe('virtual time', () => {
  it('happens in the order of instants, and of asking within one; everything that follows from an event comes before the next', async () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    time.at(5, () => seen.push('b'));
    time.at(5, () => seen.push('c'));
    time.at(1, () => time.wake(() => void Promise.resolve().then(() => Promise.resolve().then(() => seen.push('a')))));
    time.at(3, () => seen.push('never'))();
    await time.run(() => false);
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

describe('a machine clock', () => {
  it('reaches an instant for good when it has shown it for the last time', () => {
    const micros = (from: number, to: number) => fc.integer({ min: toMicros(from), max: toMicros(to) });
    const error = fc.record({
      offset: micros(-60, 60),
      drift: fc.double({ min: -0.01, max: 0.01, noNaN: true }),
      step: fc.option(fc.record({ at: micros(0, 100), by: micros(-10, 10) }), { nil: undefined }),
    });
    fc.assert(
      fc.property(error, micros(0, 120), ({ step, ...rest }, at) => {
        const clock = new MachineClock(step ? { ...rest, step } : rest);
        const shown = clock.show(at);
        const reached = clock.reaches(shown);
        for (const later of [0, 1, 1000, toMicros(1), toMicros(30)])
          expect(clock.show(Math.max(0, reached) + 2 + later)).toBeGreaterThanOrEqual(shown);
        // A clock that is set back in the last two microseconds showed more just before: that it shows less again is why `reached` is no earlier.
        const setBack = step !== undefined && step.by < 0 && reached - 2 < step.at && step.at <= reached;
        if (reached > 2 && !setBack) expect(clock.show(reached - 2)).toBeLessThanOrEqual(Math.max(shown, clock.show(reached)));
      }),
    );
  });
});

function place() {
  const time = new VirtualTime();
  const network = new Network(time, seededRandom('network'), undefined);
  const process = new Process({ name: 'test', region: standby, machineClock: trueClock, time });
  return { time, network, process };
}

const record = (version: number): CoordinationRecord => ({
  ...{ epoch: epoch(1), holder: primary, phase: 'active', fenced: true, version },
  leaseUntil: Timestamp.parse('2026-11-21T12:00:20.000Z'),
  changedAt: Timestamp.parse('2026-11-20T12:00:00.000Z'),
});

describe('the coordination table', () => {
  const table = ({ time, network }: ReturnType<typeof place>) =>
    new CoordinationTable({
      ...{ time, network, random: seededRandom('table'), first: record(1), onRecord: () => {} },
      places: { replicas: [primary, standby], witness },
    });

  it.each([
    ['the witness is lost', (network: Network) => network.setUp(witness, false), true],
    ['the other replica is lost', (network: Network) => network.setUp(primary, false), true],
    ['it reaches the witness only', (network: Network) => network.setCut(primary, standby, true), true],
    [
      'it reaches nobody',
      (network: Network) => {
        network.setCut(primary, standby, true);
        network.setCut(witness, standby, true);
      },
      false,
    ],
    [
      'two are lost',
      (network: Network) => {
        network.setUp(primary, false);
        network.setUp(witness, false);
      },
      false,
    ],
    ['its Region is lost', (network: Network) => network.setUp(standby, false), false],
  ])('answers or not when %s', (_, happens, answers) => {
    const at = place();
    const coordination = table(at);
    happens(at.network);
    expect(coordination.hasMajority(standby)).toBe(answers);
  });

  it('takes a write over the version that was read, once', async () => {
    const at = place();
    const port = table(at).port(at.process);
    const results: unknown[] = [];
    void (async () => {
      results.push((await port.replace(record(1))).version);
      results.push(await port.replace(record(1)).catch((error: Error) => error.name));
    })();
    await at.time.run(() => false);
    expect(results).toEqual([2, 'Conflict']);
  });

  it('may have taken a write that its caller never hears of', async () => {
    const at = place();
    const coordination = table(at);
    const write = coordination.port(at.process).replace(record(1));
    const heard = write.then(
      () => 'stored',
      (error: unknown) => (error instanceof ServiceUnavailable ? 'no answer' : 'another error'),
    );
    await at.time.run(() => coordination.record?.version === 2);
    at.network.setUp(standby, false);
    await at.time.run(() => false);
    expect(await heard).toBe('no answer');
    expect(coordination.record?.version).toBe(2);
  });
});

describe('a database server', () => {
  const first: LogEntry = {
    at: 0,
    lease: { epoch: epoch(1), holder: primary, untilMicros: trueClock.show(toMicros(20)), closedFor: undefined },
    ...{ transactions: 1, canary: { seq: 1, writtenMicros: trueClock.show(0) }, commit: undefined },
  };

  function pair(lag = 0) {
    const { time, network } = place();
    const commits: LogEntry[] = [];
    const settings = (region: typeof primary) => ({
      ...{ databaseId: DatabaseId.parse('hms'), region, time, network, clock: trueClock, commitTakes: toMicros(1), flaws: {} },
      onOpened: () => {},
      onCommit: (_: DatabaseServer, entry: LogEntry) => void commits.push(entry),
    });
    const source = new DatabaseServer(settings(primary), [first]);
    const replica = new DatabaseServer(settings(standby), [], { server: source, lag, readyAt: 0 });
    const pass = async (seconds: number) => {
      let over = false;
      time.after(toMicros(seconds), () => {
        over = true;
      });
      await time.run(() => over);
    };
    return { time, source, replica, commits, pass };
  }

  it('refuses at commit what began within the lease and ends after it', async () => {
    const { source, commits, pass } = pair();
    const [early, late] = [source.begin(), source.begin()];
    if (!early || !late) throw new Error('the lease is good');
    expect(source.commit(early, 1000, 5)).toBe(true);
    await pass(21);
    expect(source.commit(late, 1000, 5)).toBe(false);
    expect(source.begin()).toBeUndefined();
    expect(commits).toHaveLength(1);
  });

  it('closes after the last commit that had passed its check, and takes no lease of an earlier epoch again', async () => {
    const { time, source, commits, pass } = pair();
    const [passed, open] = [source.begin(), source.begin()];
    if (!passed || !open) throw new Error('the lease is good');
    source.commit(passed, toMicros(1), 5);
    const closed = source.close(epoch(2));
    expect(closed).toBeGreaterThan(time.now + toMicros(1) - 1);
    expect(source.commit(open, 1000, 5)).toBe(false);
    await pass(2);
    source.mark(epoch(2));
    expect(commits).toHaveLength(1);
    expect(source.renew(epoch(1), primary, trueClock.show(toMicros(100)))).toBe(false);
    expect(source.isOpen).toBe(false);
    expect(source.renew(epoch(3), primary, trueClock.show(toMicros(100)))).toBe(true);
    expect(source.isOpen).toBe(true);
  });

  it('shows on a replica what is older than the lag, and after promotion nothing more', async () => {
    const { source, replica, pass } = pair(toMicros(3));
    source.append({});
    await pass(2);
    source.append({});
    await pass(2);
    expect(replica.newest.transactions).toBe(2);
    replica.beginPromotion();
    await pass(10);
    replica.finishPromotion();
    expect(replica.newest.transactions).toBe(2);
    expect(source.newest.transactions).toBe(3);
  });
});
