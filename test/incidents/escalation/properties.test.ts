import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Definition } from '../../../simulation/machine/definition.ts';
import { type EscalationWorld, escalationDefinition, escalationWorld, startsAt } from '../../support/escalation-world.ts';
import { type Act, expectedPages } from './expected-pages.ts';

let definition: Definition;
beforeAll(() => {
  definition = escalationDefinition();
});

const seconds = 9000;
const when = fc.integer({ min: 1, max: seconds - 600 }).map((second) => second + 0.5);
const lasts = fc.oneof(fc.integer({ min: 60, max: 900 }), fc.integer({ min: 900, max: 5000 }));
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ at: when, kind: fc.constant('acknowledge' as const), person: fc.constantFrom('ada', 'ben', 'owner'), lasts }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ at: when, kind: fc.constant('pause' as const), lasts: fc.oneof(fc.integer({ min: 1, max: 200 }), lasts) }),
  },
  { weight: 1, arbitrary: fc.record({ at: when, kind: fc.constant('raise' as const) }) },
  { weight: 1, arbitrary: fc.record({ at: when, kind: fc.constant('resolve' as const) }) },
);
/** Two acts of one moment have no order. */
const story = fc.uniqueArray(act, { maxLength: 6, selector: ({ at }) => at }).map((acts) => [...acts].sort((a, b) => a.at - b.at));
const severity = fc.constantFrom<(1 | 2)[]>(1, 2);

interface Trouble {
  /** Seconds that anything takes which is called. */
  readonly latency: number;
  /** Calls of steps, by number, that die at their n-th call of a port. */
  readonly deaths: readonly { readonly invocation: number; readonly call: number; readonly when: 'before' | 'after' }[];
  /** Executions that somebody starts beside the one that is there. */
  readonly more: readonly number[];
  /** The Region rests for a while. */
  readonly rest?: { readonly at: number; readonly lasts: number };
}
const noTrouble: Trouble = { latency: 0.2, deaths: [], more: [] };

async function play(acts: readonly Act[], of: 1 | 2, { latency, deaths, more, rest }: Trouble): Promise<EscalationWorld> {
  const world = escalationWorld({
    definition,
    latency: () => latency,
    death: (number) => deaths.find(({ invocation }) => invocation === number),
  });
  await world.begin({ severity: of });
  let isOver = false;
  for (const act of acts) {
    world.at(act.at, async () => {
      if (isOver) return;
      if (act.kind === 'acknowledge') await world.acknowledge(act.person, act.lasts);
      if (act.kind === 'pause') await world.pause(act.lasts);
      if (act.kind === 'raise') await world.raise(1);
      if (act.kind === 'resolve') {
        isOver = true;
        await world.resolve();
      }
    });
  }
  for (const [index, second] of more.entries()) world.at(second, () => world.escalateAgain(100 + index));
  if (rest) {
    world.at(rest.at, () => world.rest());
    world.at(rest.at + rest.lasts, () => world.comeBack());
  }
  for (let second = 30.25; second < seconds; second += 60) world.at(second, () => world.audit());
  await world.run(seconds);
  return world;
}

const secondOf = (timestamp: string) => Math.ceil((Date.parse(timestamp) - startsAt) / 1000);

/** Which steps told whom, and when they were told, in seconds. */
async function toldBy({ ports, incident }: EscalationWorld) {
  return (await ports.outbox.of(incident.id)).flatMap((page) =>
    page.status === 'accepted' && page.acceptedAt
      ? [{ ...page, due: secondOf(page.dueAt), told: (Date.parse(page.acceptedAt) - startsAt) / 1000 }]
      : [],
  );
}

/** @param grace seconds within which somebody is told, or somebody's answer may come first */
async function judge(world: EscalationWorld, acts: readonly Act[], of: 1 | 2, grace: number): Promise<void> {
  const { pages, quiet } = expectedPages(acts, seconds, of);
  const told = await toldBy(world);

  // Never two pages for one step.
  const steps = told.map(({ due, person }) => `${due} ${person}`);
  expect(steps).toEqual([...new Set(steps)]);
  // Nobody is told of what no step wants.
  const wanted = new Set(pages.map(({ at, person }) => `${at} ${person}`));
  expect(steps.filter((step) => !wanted.has(step))).toEqual([]);
  // Nobody is told while somebody answers, it is paused or over; a message that is being sent when that begins is.
  const early = 3;
  expect(world.messages.filter(({ at }) => quiet.slice(Math.max(0, Math.floor(at - early)), Math.floor(at) + 1).every(Boolean))).toEqual(
    [],
  );
  // Every page that is due is sent in time, or alarmed, unless somebody answered before.
  const alarmed = new Set([...world.alarms.values()].map(({ dueAt, person }) => `${secondOf(dueAt)} ${person}`));
  const missed = pages.filter(({ at, person }) => {
    if (at + grace >= seconds) return false;
    if (told.some((page) => page.due === at && page.person === person && page.told <= at + grace)) return false;
    if (acts.some((act) => act.at > at - 1 && act.at <= at + grace)) return false;
    return !alarmed.has(`${at} ${person}`);
  });
  expect(missed).toEqual([]);
}

describe('the policy, second by second', () => {
  test('tells whom it should and nobody else, whatever people do', async () => {
    await fc.assert(
      fc.asyncProperty(story, severity, async (acts, of) => {
        const world = await play(acts, of, noTrouble);
        await judge(world, acts, of, 48);
        expect([...world.alarms.keys()]).toEqual([]);
        expect(world.messages.length).toBe(new Set(world.messages.map(({ pageId }) => pageId)).size);
      }),
      { numRuns: 20 },
    );
  }, 300_000);

  test('a pause that is cut short while somebody has acknowledged ends when it says now', async () => {
    const acts: readonly Act[] = [
      { at: 3830.5, kind: 'acknowledge', person: 'ada', lasts: 60 },
      { at: 3831.5, kind: 'pause', lasts: 900 },
      { at: 3875.5, kind: 'pause', lasts: 60 },
    ];
    const world = await play(acts, 2, noTrouble);
    await judge(world, acts, 2, 48);
    expect([...world.alarms.keys()]).toEqual([]);
  });

  test('and the same when steps die at any call, and executions run beside each other', async () => {
    const death = fc.record({
      invocation: fc.integer({ min: 0, max: 40 }),
      call: fc.integer({ min: 1, max: 12 }),
      when: fc.constantFrom('before' as const, 'after' as const),
    });
    const deaths = fc.uniqueArray(death, { maxLength: 6, selector: ({ invocation }) => invocation });
    const more = fc.array(fc.integer({ min: 0, max: seconds }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(story, severity, deaths, more, async (acts, of, dying, others) => {
        const world = await play(acts, of, { ...noTrouble, deaths: dying, more: others });
        // An attempt that died, its retries, and 30 s in which its page is still taken.
        await judge(world, acts, of, 150);
        // Only who dies between the channel's answer and the mark repeats a message.
        const repeated = world.messages.length - new Set(world.messages.map(({ pageId }) => pageId)).size;
        expect(repeated).toBeLessThanOrEqual(dying.length);
      }),
      { numRuns: 20 },
    );
  }, 300_000);

  test('what a Region that rests does not send is alarmed, and told once when it is back', async () => {
    const rest = fc.record({ at: fc.integer({ min: 0, max: 2000 }), lasts: fc.integer({ min: 400, max: 3000 }) });
    await fc.assert(
      fc.asyncProperty(rest, async (resting) => {
        const world = await play([], 2, { ...noTrouble, rest: resting });
        // The auditor looks each minute at what was due a minute before: later than two minutes is alarmed.
        await judge(world, [], 2, 121);
        const back = resting.at + resting.lasts;
        // Of the steps that it missed, the last one speaks for all. One that is due just after that is told by itself.
        const late = (await toldBy(world)).filter(({ due, told }) => due < back && told > back);
        expect(late.map(({ person }) => person)).toEqual([...new Set(late.map(({ person }) => person))]);
      }),
      { numRuns: 8, examples: [[{ at: 10, lasts: 889 }]] },
    );
  }, 300_000);
});
