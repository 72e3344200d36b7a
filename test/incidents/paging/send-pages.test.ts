import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import { pagingOperations, pagingWorld } from '../../support/paging-world.ts';

const ada = pagingOperations({ ada: ['email', 'sms'] });

/** Runs a world's events for a minute from now, while `act` goes on. */
async function during<T>(world: ReturnType<typeof pagingWorld>, act: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  world.at(world.elapsedSeconds(), async () => {
    result = { value: await act() };
  });
  const end = world.elapsedSeconds() + 60;
  world.at(end, () => {});
  await world.run(end);
  if (!result) throw new Error('it is not over');
  return result.value;
}

async function opened(
  world: ReturnType<typeof pagingWorld>,
  count: number,
  severity: Incident['severity'] = 2,
): Promise<readonly Incident[]> {
  const incidents: Incident[] = [];
  for (let index = 0; index < count; index++) {
    const incident = await world.incident(`s${severity}-${index}`, severity);
    await world.plan(incident);
    incidents.push(incident);
  }
  return incidents;
}

describe('sending pages', () => {
  it('sends a page once, with a link, and writes down what the channel said', async () => {
    const world = pagingWorld(ada);
    const [incident] = await opened(world, 1);
    await during(world, async () => {
      await world.send();
      await world.send();
    });
    expect(world.channels.delivered).toMatchObject([{ person: 'ada', method: { kind: 'email', address: 'ada@example.org' } }]);
    expect(world.channels.delivered[0]?.text.body).toContain('https://acknowledge.us-east-1.example.org/');
    expect(await world.pages(...(incident ? [incident] : []))).toMatchObject([
      { status: 'accepted', receipt: 'email 1', acceptedAt: '2026-11-21T07:00:00.000Z' },
    ]);
    const timeline = incident ? await world.ports.incidents.timeline(incident.id) : [];
    expect(timeline.map(({ says }) => says)).toEqual([`ada was told by email (page ${incident?.id}/1/0/0/ada/0)`]);
  });

  it('fails what a channel refuses, so that the next way is due at that moment', async () => {
    const world = pagingWorld(ada);
    const incident = (await opened(world, 1))[0] as Incident;
    world.channels.setTrouble('email', 'nobody has confirmed the subscription');
    await during(world, async () => {
      await world.send();
      await world.plan(incident);
      await world.send();
    });
    expect(await world.pages(incident)).toMatchObject([
      { method: 'email', status: 'failed', receipt: 'nobody has confirmed the subscription', takenUntil: '2026-11-21T07:00:00.000Z' },
      { method: 'sms', status: 'accepted', reason: 'second-channel', dueAt: '2026-11-21T07:00:00.000Z' },
    ]);
  });

  it('asks a channel that does not answer once more, and gives it up then', async () => {
    const world = pagingWorld(ada);
    const [incident] = await opened(world, 1);
    world.channels.failNext('send', new ServiceUnavailable('503'));
    await during(world, () => world.send());
    expect(world.channels.delivered).toHaveLength(1);
    const second = await world.incident('second');
    await world.plan(second);
    for (let times = 0; times < 2; times++) world.channels.failNext('send', new ServiceUnavailable('503'));
    await during(world, () => world.send());
    expect(await world.pages(second)).toMatchObject([{ status: 'failed', attempts: 2 }]);
    expect(incident).toBeDefined();
  });

  it('sends nothing of an incident that somebody answered since', async () => {
    const world = pagingWorld(ada);
    const incident = (await opened(world, 1))[0] as Incident;
    const at = timestamp(world.clock.now());
    const until = timestamp(new Date(world.clock.now().getTime() + 1_800_000));
    await world.ports.incidents.update({ ...incident, status: 'acknowledged', acknowledgements: [{ by: 'ada', at, until }] });
    await during(world, () => world.send());
    expect(world.channels.delivered).toEqual([]);
    expect(await world.pages(incident)).toMatchObject([{ status: 'not-needed' }]);
  });

  it('goes out without a link while nothing can be signed', async () => {
    const world = pagingWorld(ada);
    await opened(world, 1);
    world.ports.linkSigner.failNext('sign', new ServiceUnavailable('KMS does not answer'));
    await during(world, () => world.send());
    expect(world.channels.delivered[0]?.text.body).toContain('To acknowledge, run\ncodeblue incident ack');
  });

  it('leaves a page alone that somebody else has in hand, and takes it over when that one is dead', async () => {
    const world = pagingWorld(ada);
    const incident = (await opened(world, 1))[0] as Incident;
    const [page] = await world.pages(incident);
    if (!page) throw new Error('no page');
    await world.ports.outbox.update({
      ...page,
      status: 'sending',
      attempts: 1,
      takenUntil: timestamp(new Date(world.clock.now().getTime() + 30_000)),
    });
    await during(world, () => world.send());
    expect(world.channels.delivered).toEqual([]);
    await during(world, () => world.send());
    expect(world.channels.delivered).toHaveLength(1);
  });

  it('fails a page whose person has no such way any more', async () => {
    const world = pagingWorld(ada);
    const incident = (await opened(world, 1))[0] as Incident;
    const [page] = await world.pages(incident);
    if (!page) throw new Error('no page');
    await world.ports.outbox.update({ ...page, method: 'slack' });
    await during(world, () => world.send());
    expect(await world.pages(incident)).toMatchObject([{ status: 'failed', receipt: 'the config has no slack for ada any more' }]);
  });
});

describe('a storm', () => {
  it('sends what the channel takes in a second one by one, and the rest to each person as one digest', async () => {
    const world = pagingWorld(pagingOperations({ ada: ['email', 'sms'], ben: ['email', 'sms'] }));
    const incidents = await opened(world, 40);
    await during(world, () => world.send());
    const texts = world.channels.delivered.map(({ person, text }) => ({ person, kind: text.facts.kind }));
    expect(texts.filter(({ kind }) => kind === 'incident')).toHaveLength(5);
    expect(
      texts
        .filter(({ kind }) => kind === 'digest')
        .map(({ person }) => person)
        .toSorted(),
    ).toEqual(['ada', 'ben']);
    const told = world.channels.delivered.reduce((sum, { text: { facts } }) => sum + (facts.kind === 'digest' ? facts.incidents : 1), 0);
    expect(told).toBe(80);
    const pages = await world.pages(...incidents);
    expect(pages.filter(({ reason }) => reason === 'step').every(({ status }) => status === 'accepted')).toBe(true);
  });

  it('never puts severity 1 into a digest, and sends it first', async () => {
    const world = pagingWorld(ada);
    await opened(world, 20, 3);
    const worst = await opened(world, 12, 1);
    await during(world, () => world.send());
    const { delivered } = world.channels;
    expect(delivered.slice(0, 12).map(({ text }) => text.facts.severity)).toEqual(Array(12).fill(1));
    expect(delivered.slice(0, 12).every(({ text }) => text.facts.kind === 'incident')).toBe(true);
    expect(delivered.slice(12).map(({ text }) => text.facts.kind)).toEqual(['digest']);
    expect((await world.pages(...worst)).every(({ status }) => status === 'accepted')).toBe(true);
  });

  it('fails the pages of a digest that is refused, each to its own next way', async () => {
    const world = pagingWorld(ada);
    const incidents = await opened(world, 20);
    world.channels.setTrouble('email', 'suspended');
    await during(world, async () => {
      await world.send();
      for (const incident of incidents) await world.plan(incident);
      await world.send();
    });
    const pages = await world.pages(...incidents);
    expect(pages.filter(({ method }) => method === 'email').every(({ status }) => status === 'failed')).toBe(true);
    expect(pages.filter(({ method, reason }) => method === 'sms' && reason === 'second-channel').map(({ status }) => status)).toEqual(
      Array(20).fill('accepted'),
    );
  });

  it('never gives SNS ten mails in any second, however many send at once', async () => {
    const world = pagingWorld({
      ...ada,
      incidents: { ...ada.incidents, channels: { perSecond: { ...ada.incidents.channels.perSecond, email: 9 } } },
    });
    for (let wave = 0; wave < 6; wave++) {
      world.at(wave * 0.7, async () => {
        for (let index = 0; index < 12; index++) {
          const incident = await world.incident(`wave-${wave}-${index}`, index % 2 === 0 ? 1 : 3);
          await world.plan(incident);
          void world.send(undefined, incident);
        }
      });
    }
    await world.run(300);
    const times = world.channels.delivered.map(({ at }) => at.getTime());
    const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length));
    expect(most).toBe(9);
    expect(world.outcomes.filter(({ error, left }) => error !== undefined || left !== 0)).toEqual([]);
    const told = world.channels.delivered.filter(({ text }) => text.facts.severity === 1).map(({ pageId }) => pageId);
    expect(new Set(told).size).toBe(36);
    expect(told).toHaveLength(36);
  });
});
