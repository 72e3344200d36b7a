import { beforeAll, describe, expect, test } from 'vitest';
import type { Definition } from '../../../simulation/machine/definition.ts';
import { type EscalationWorld, escalationDefinition, escalationWorld } from '../../support/escalation-world.ts';

let definition: Definition;
beforeAll(() => {
  definition = escalationDefinition();
});
const newWorld = () => escalationWorld({ definition });

/** `0:05 ada email`: hours and minutes since the beginning. */
const told = ({ messages }: EscalationWorld) =>
  messages.map(
    ({ at, person, method }) => `${Math.floor(at / 3600)}:${String(Math.floor((at % 3600) / 60)).padStart(2, '0')} ${person} ${method}`,
  );
const endings = (world: EscalationWorld) =>
  Object.fromEntries(
    [...world.endings].map(([name, ending]) => [name.replace(`${world.incident.id}-`, ''), ending === 'running' ? ending : ending.state]),
  );

describe('an incident that nobody answers', () => {
  test('is told step by step, round by round, to whoever is on duty then; afterwards it alarms while it is open', async () => {
    const world = newWorld();
    await world.begin();
    await world.run(2 * 3600);
    expect(told(world)).toEqual([
      ...['0:00 ada email', '0:05 ada email', '0:05 owner sms'],
      ...['0:15 ada email', '0:20 ada email', '0:20 owner sms'],
      ...['0:30 ada email', '0:35 ada email', '0:35 owner sms'],
    ]);
    expect(world.ports.metrics.recorded.filter(({ name }) => name === 'IncidentsUnanswered').length).toBeGreaterThan(10);
    expect(endings(world)).toEqual({ '1': 'running' });
  });

  test('is answered later, and told again when that runs out: to the one who is on duty by then', async () => {
    const world = newWorld();
    await world.begin();
    world.at(3000, () => world.acknowledge('owner', 1800));
    world.at(4900, () => world.resolve());
    await world.run(2 * 3600);
    expect(told(world).slice(9)).toEqual(['1:20 ben email']);
    expect((await world.ports.outbox.of(world.incident.id)).at(-1)?.reason).toBe('stale-acknowledgement');
    expect(endings(world)).toEqual({ '1': 'Nobody must be told any more' });
  });
});

test('what comes during a wait is seen when it is over: acknowledged, nobody is paged', async () => {
  const world = newWorld();
  await world.begin();
  world.at(299, () => world.acknowledge('ada', 86_400));
  await world.run(20 * 3600);
  expect(told(world)).toEqual(['0:00 ada email']);
});

test('an acknowledged incident is told again when its acknowledgement is stale, and at no other time: not months later', async () => {
  const world = newWorld();
  await world.begin();
  const month = 30 * 86_400;
  world.at(60, () => world.acknowledge('ada', 3 * month));
  await world.run(2 * month);
  expect(told(world)).toEqual(['0:00 ada email']);
  // The history of an execution is not unlimited: it was handed on, each time to one other.
  expect(endings(world)['1']).toBe('The next execution goes on');
  expect(Object.values(endings(world)).filter((ending) => ending === 'running')).toHaveLength(1);
  await world.run(3 * month + 361);
  expect(
    told(world)
      .slice(1)
      .map((message) => message.slice(message.indexOf(' '))),
  ).toEqual([' ada email', ' ada email', ' owner sms']);
}, 120_000);

describe('a pause', () => {
  test('pages nobody, and resumes from the first step: what fell into it is told once', async () => {
    const world = newWorld();
    await world.begin();
    world.at(100, () => world.pause(2000));
    world.at(2700, () => world.resolve());
    await world.run(3600);
    expect(told(world)).toEqual(['0:00 ada email', '0:35 ada email', '0:40 ada email', '0:40 owner sms']);
  });

  test('that somebody ends early is noticed within a minute', async () => {
    const world = newWorld();
    await world.begin();
    world.at(100, () => world.pause(20_000));
    world.at(1000, () => world.pause(0));
    world.at(1290, () => world.resolve());
    await world.run(7200);
    expect(
      world.messages
        .map(({ at }) => at)
        .slice(1)
        .every((at) => at >= 1000 && at <= 1045),
    ).toBe(true);
    expect(world.messages).toHaveLength(2);
  });

  test('twice in one hour, with a new page after each', async () => {
    const world = newWorld();
    await world.begin();
    world.at(10, () => world.pause(50));
    world.at(70, () => world.pause(50));
    world.at(130, () => world.resolve());
    await world.run(3600);
    expect(world.messages.map(({ at }) => at)).toEqual([0, 60, 120]);
  });
});

describe('people', () => {
  test('of severity 1 two must answer; who has answered is not told again', async () => {
    const world = newWorld();
    await world.begin({ severity: 1 });
    world.at(30, () => world.acknowledge('ada', 7200));
    world.at(1201, () => world.acknowledge('owner', 7200));
    await world.run(7000);
    expect(told(world)).toEqual(['0:00 ada email', '0:05 owner sms', '0:20 owner sms']);
  });

  test('one who says so twice is one', async () => {
    const world = newWorld();
    await world.begin({ severity: 1 });
    world.at(30, () => world.acknowledge('ada', 7200));
    world.at(40, () => world.acknowledge('ada', 7200));
    await world.run(400);
    expect(told(world)).toEqual(['0:00 ada email', '0:05 owner sms']);
  });

  test('whose first channel does not take the page are told by the second at once', async () => {
    const world = newWorld();
    await world.begin();
    world.refusing.add('ada/email');
    world.at(299, () => world.acknowledge('ada', 7200));
    await world.run(3600);
    expect(world.messages.map(({ at, person, method }) => [at, person, method])).toEqual([[0, 'ada', 'sms']]);
  });

  test('none of whose channels take it are told by the next step', async () => {
    const world = newWorld();
    await world.begin();
    world.refusing.add('ada/email').add('ada/sms');
    await world.run(400);
    expect(told(world)).toEqual(['0:05 owner sms']);
  });
});

test('what becomes worse is told anew, by an execution of its own, whatever was answered before', async () => {
  const world = newWorld();
  await world.begin();
  world.at(30, () => world.acknowledge('ada', 7200));
  world.at(90, () => world.raise(1));
  world.at(100, () => world.resolve());
  await world.run(7200);
  expect(world.messages.map(({ at, person }) => [at, person])).toEqual([
    [0, 'ada'],
    [90, 'ada'],
  ]);
  expect(endings(world)).toEqual({ '1': 'Nobody must be told any more', '2': 'Nobody must be told any more' });
});

test('the execution of an older generation ends when it sees that there is a newer one', async () => {
  const world = newWorld();
  await world.begin();
  world.at(90, () => world.raise(1));
  await world.run(200);
  expect(endings(world)).toEqual({ '1': 'Nobody must be told any more', '2': 'running' });
});

test('a policy that is gone from the config is stood in for by the default one', async () => {
  const world = newWorld();
  await world.begin({ policy: 'unheard-of' });
  await world.run(10);
  expect(told(world)).toEqual(['0:00 ada email']);
});
