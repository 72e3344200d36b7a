import { describe, expect, it } from 'vitest';
import type { ContactMethod } from '../../../functions/common/incident-policy.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import type { Death } from '../../support/dying-run.ts';
import { type PagingWorld, pagingOperations, pagingWorld } from '../../support/paging-world.ts';

/** One sender dies, others follow, one at once and two after those 30 s. */
async function storyOf(
  count: number,
  kind: ContactMethod['kind'],
  death?: Death,
): Promise<{ readonly world: PagingWorld; readonly calls: readonly string[]; readonly incidents: readonly Incident[] }> {
  const world = pagingWorld(pagingOperations({ ada: [kind, 'sms'] }));
  const incidents: Incident[] = [];
  for (let index = 0; index < count; index++) {
    const incident = await world.incident(`i${index}`);
    await world.plan(incident);
    incidents.push(incident);
  }
  let calls: readonly string[] = [];
  world.at(0, async () => {
    calls = await world.send(death);
    await world.send();
  });
  world.at(60, () => world.send());
  world.at(120, () => world.send());
  await world.run(280);
  return { world, calls, incidents };
}

/** What each delivery told of: a page, or the pages of a digest. */
async function timesTold({
  world,
  incidents,
}: {
  readonly world: PagingWorld;
  readonly incidents: readonly Incident[];
}): Promise<readonly number[]> {
  const pages = await world.pages(...incidents);
  return incidents.map(({ id }) => {
    const page = pages.find(({ incidentId, reason }) => incidentId === id && reason === 'step');
    const alone = world.channels.delivered.filter(({ pageId }) => pageId === page?.pageId).length;
    const digest = page?.receipt?.startsWith('digest ') ? page.receipt.slice('digest '.length) : undefined;
    return alone + world.channels.delivered.filter(({ pageId }) => pageId === digest).length;
  });
}

describe.each([
  { what: 'one page', count: 1 },
  { what: 'pages beyond the rate, with a digest', count: 9 },
])('a sender of $what that dies', ({ count }) => {
  it('anywhere loses no page, and repeats one only where it dies with the answer of a channel that is not written down', async () => {
    const { calls } = await storyOf(count, 'email');
    expect(calls).toContain('channels.send');
    for (const call of calls.keys()) {
      for (const when of ['before', 'after'] as const) {
        const death = { call: call + 1, when };
        const story = await storyOf(count, 'email', death);
        const where = `died ${when} call ${call + 1}, ${calls[call]}`;
        const pages = await story.world.pages(...story.incidents);
        expect(
          pages.filter(({ status }) => status !== 'accepted' && status !== 'not-needed'),
          where,
        ).toEqual([]);
        const told = await timesTold(story);
        expect(Math.min(...told), where).toBeGreaterThanOrEqual(1);
        if (Math.max(...told) > 1) expect(isDocumented(story.calls, death), where).toBe(true);
      }
    }
  }, 60_000);

  it('repeats nothing where the channel knows the page by its id', async () => {
    const { calls } = await storyOf(count, 'pagerduty');
    for (const call of calls.keys()) {
      const story = await storyOf(count, 'pagerduty', { call: call + 1, when: 'after' });
      const ids = story.world.channels.delivered.map(({ pageId }) => pageId);
      expect(ids, `died after call ${call + 1}, ${calls[call]}`).toHaveLength(new Set(ids).size);
    }
  }, 60_000);
});

/** A channel has answered, and its answer is not in the outbox yet: the last thing that the dead sender did to a page was to send it. */
function isDocumented(calls: readonly string[], { call, when }: Death): boolean {
  const done = calls.slice(0, when === 'after' ? call : call - 1);
  return done.includes('channels.send');
}
