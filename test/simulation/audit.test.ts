import { describe, expect, it } from 'vitest';
import { memoryAuditEvents } from '../../functions/memory/audit/events.ts';
import { memoryAuditQueue } from '../../functions/memory/audit/queue.ts';
import { memoryWitnesses } from '../../functions/memory/audit/witnesses.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { auditBreakageNamed, auditBreakages } from '../../simulation/audit/audit-breakages.ts';
import { AuditMonitor } from '../../simulation/audit/audit-monitor.ts';
import { type Call, simulatedPorts } from '../../simulation/audit/audit-ports.ts';
import { type AuditPlay, AuditSimulator } from '../../simulation/audit/audit-simulator.ts';
import { History } from '../../simulation/audit/history.ts';
import { publicKeyOf, signWith } from '../../simulation/audit/log-keys.ts';
import { LogStore } from '../../simulation/audit/log-store.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';
import { auditHeadContract } from '../contracts/audit-head.contract.ts';
import { auditQueueContract } from '../contracts/audit-queue.contract.ts';
import { home } from '../support/incidents.ts';

describe('the simulation of the audit log', () => {
  it('finds no broken promise in the protocol as it is', async () => {
    const plays: (AuditPlay & { readonly seed: number })[] = [];
    for (let seed = 1; seed <= 300; seed++) plays.push({ seed, ...(await new AuditSimulator().run(seed)) });
    expect(plays.flatMap(({ seed, violations }) => violations.map(({ says }) => `seed ${seed}: ${says}`))).toEqual([]);
    // It would find none either if nothing happened.
    const sum = (count: (play: AuditPlay) => number) => plays.reduce((total, play) => total + count(play), 0);
    expect(sum(({ acknowledged }) => acknowledged)).toBeGreaterThan(2000);
    expect(sum(({ publications }) => publications)).toBeGreaterThan(1000);
  });

  it('is the same run for the same seed', async () => {
    const timeline = async () => {
      const lines: string[] = [];
      const { events } = await new AuditSimulator().run(33, (at, who, what) => lines.push(`${at} ${who} ${what}`));
      return { lines, events };
    };
    const first = await timeline();
    expect(first.lines.length).toBeGreaterThan(10);
    expect(await timeline()).toEqual(first);
  });

  // Each at the first seed that shows it; `npm run simulate -- --audit --breakages` looks for them.
  it.each([
    ['acknowledged-before-durable', 1],
    ['recorded-in-two-steps', 2],
    ['queued-again', 1],
    ['leaf-of-the-last-delivery', 1],
    ['erased-with-its-leaf', 9],
    ['claim-without-condition', 6],
    ['loser-goes-on', 28],
    ['chosen-before-the-head-is-read', 60],
    ['places-not-checked', 3],
    ['never-settled', 1],
    ['settled-when-chosen', 8],
    ['head-before-settling', 8],
    ['claimed-batch-left', 1],
    ['rotation-drops-the-claim', 15],
    ['batches-by-place', 133],
    ['published-before-its-objects', 1],
    ['published-over-whatever-stands', 37],
    ['publication-not-awaited', 229],
    ['objects-not-awaited', 18],
    ['cosignatures-dropped', 10],
    ['consistency-not-proven', 10],
  ])('finds "%s"', async (name, seed) => {
    const { violations } = await new AuditSimulator(auditBreakageNamed(name).flaws).run(seed);
    expect(violations[0]).toMatchObject({ promise: 'P8' });
    expect((await new AuditSimulator().run(seed)).violations).toEqual([]);
  });

  it('has no breakage that is not looked for here', () => {
    expect(auditBreakages).toHaveLength(21);
  });
});

describe('what the monitor compares with', () => {
  /** Appendix of Certificate Transparency's tests: roots of the first 1 to 8 of these leaves. */
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];

  it('has the roots of the published test vectors', () => {
    const history = new History();
    history.append(inputs.map((hex) => Buffer.from(hex, 'hex').toString('utf8')));
    expect(roots.map((_, index) => Buffer.from(history.root(index + 1), 'base64').toString('hex'))).toEqual(roots);
  });

  it('forgets what is cut off, and nothing else', () => {
    const [history, other] = [new History(), new History()];
    history.append(['a', 'b', 'c', 'd', 'e']);
    const before = history.root(5);
    history.cut(3);
    history.append(['x', 'y']);
    other.append(['a', 'b', 'c', 'x', 'y']);
    expect(history.root(5)).toBe(other.root(5));
    expect(history.root(5)).not.toBe(before);
  });
});

/** The ports of one process over a store whose requests all arrive at once. */
function portsOver(store: LogStore) {
  const call: Call = async (_, effect) => effect();
  const signer = {
    sign: async (generation: number, bytes: Uint8Array) => signWith(generation, bytes),
    publicKey: async (_: unknown, generation: number) => publicKeyOf(generation),
  };
  return simulatedPorts(store, call, { signer, witnesses: memoryWitnesses() });
}
const newStore = () => {
  const time = new VirtualTime();
  return new LogStore(time, new AuditMonitor(time, { originOf: String, wantsCosignature: false }), () => 0);
};

describe("the simulation's own ports", () => {
  auditHeadContract(async () => {
    const store = newStore();
    return [portsOver(store).auditHead, portsOver(store).auditHead];
  });

  auditQueueContract(async () => {
    const store = newStore();
    const ports = portsOver(store);
    // What the sequencer does not use is the twins'.
    const items = memoryItemStore(manualClock('2026-11-21T12:00:00Z'));
    return {
      auditEvents: { ...memoryAuditEvents({ store: items, region: home }), ...ports.auditEvents },
      auditQueue: {
        ...memoryAuditQueue({ store: items, region: home }),
        ...ports.auditQueue,
        place: async (eventId) => store.queue.get(eventId)?.place,
        places: async (eventIds) =>
          new Map(
            eventIds.flatMap((eventId) => {
              const place = store.queue.get(eventId)?.place;
              return place ? [[eventId, place] as const] : [];
            }),
          ),
      },
    };
  });
});
