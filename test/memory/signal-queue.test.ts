import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { manualClock } from '../../functions/memory/clock.ts';
import { type MemoryQueueSettings, memorySignalQueue } from '../../functions/memory/signal-queue.ts';
import { seededRandom } from '../../lab/seeded-random.ts';

const queueWith = (settings: Partial<MemoryQueueSettings> = {}, bodies: readonly string[] = []) => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  const queue = memorySignalQueue({ clock, visibilitySeconds: 30, maxReceives: 2, ...settings });
  for (const body of bodies) queue.put('signals', body);
  return { clock, queue };
};
const bodiesOf = (records: readonly { readonly body: string }[]) => records.map(({ body }) => body);
const failing = (...ids: readonly string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

describe('the twin of SQS', () => {
  it('hides what somebody works on, and shows it again when nobody has removed it', () => {
    const { clock, queue } = queueWith({}, ['a', 'b']);
    expect(bodiesOf(queue.receive('signals', 1))).toEqual(['a']);
    expect(bodiesOf(queue.receive('signals', 10))).toEqual(['b']);
    clock.advance(29);
    expect(queue.receive('signals', 10)).toEqual([]);
    clock.advance(1);
    const again = queue.receive('signals', 10);
    expect(bodiesOf(again)).toEqual(['a', 'b']);
    for (const { receiptHandle } of again) queue.remove('signals', receiptHandle);
    expect(queue.depth('signals')).toBe(0);
  });

  it('gives up what was received as often as allowed', () => {
    const { clock, queue } = queueWith({}, ['a']);
    for (let i = 0; i < 3; i++) {
      queue.receive('signals', 1);
      clock.advance(30);
    }
    expect(bodiesOf(queue.deadLetters('signals'))).toEqual(['a']);
    expect(queue.depth('signals')).toBe(0);
  });

  it('lets nobody remove what somebody else received since', () => {
    const { clock, queue } = queueWith({}, ['a']);
    const [late] = queue.receive('signals', 1);
    clock.advance(30);
    queue.receive('signals', 1);
    queue.remove('signals', late?.receiptHandle ?? '');
    expect(queue.depth('signals')).toBe(1);
  });

  it('removes after a run what did not fail, and nothing when the run died or names what it was not given', async () => {
    const { clock, queue } = queueWith({ maxReceives: 9 }, ['a', 'b', 'c']);
    await queue.deliver('signals', 10, async () => Promise.reject(new Error('died')));
    expect(queue.depth('signals')).toBe(3);
    clock.advance(30);
    await queue.deliver('signals', 10, async () => failing('unknown'));
    expect(queue.depth('signals')).toBe(3);
    clock.advance(30);
    await queue.deliver('signals', 10, async ({ Records: [first] }) => failing(first?.messageId ?? ''));
    expect(queue.depth('signals')).toBe(1);
    expect(queue.oldestAgeSeconds('signals')).toBe(60);
    expect(queue.visibleFrom('signals')).toEqual(new Date('2026-11-21T07:01:30Z'));
  });
});

test('in disorder, with repetitions and with runs that die, every message is done at least once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1 }), async (count, seed) => {
      const random = seededRandom(seed);
      const bodies = Array.from({ length: count }, (_, index) => String(index));
      const { clock, queue } = queueWith({ random, repeated: 0.1, maxReceives: 1000 }, bodies);
      const done: string[] = [];
      while (queue.depth('signals') > 0) {
        await queue.deliver('signals', 10, async ({ Records }) => {
          if (random() < 0.2) throw new Error('died');
          done.push(...bodiesOf(Records));
          return failing();
        });
        clock.advance(1);
        if (done.length > count * 20) throw new Error('it does not end');
      }
      expect([...new Set(done)].sort()).toEqual(bodies.sort());
    }),
    { numRuns: 30 },
  );
});
