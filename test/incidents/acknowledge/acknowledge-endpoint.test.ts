import { describe, expect, it } from 'vitest';
import type { HttpResponse } from '../../../functions/common/endpoint.ts';
import { silentLogger } from '../../../functions/common/logger.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import { runEndpoint } from '../../../functions/handlers/run-endpoint.ts';
import { acknowledgeEndpoint } from '../../../functions/incidents/acknowledge/acknowledge-endpoint.ts';
import { acknowledgeUrl } from '../../../functions/incidents/acknowledge/link.ts';
import type { Incident, Page } from '../../../functions/incidents/models.ts';
import { manualClock } from '../../../functions/memory/clock.ts';
import { memoryPorts } from '../../../functions/memory/ports.ts';
import { type Death, watchedRun } from '../../support/dying-run.ts';
import { anIncident, aPage, elsewhere, home } from '../../support/incidents.ts';
import { pagingOperations } from '../../support/paging-world.ts';

const operations = pagingOperations({ ada: ['email', 'sms'], ben: ['email', 'sms'] });

async function world(given: { readonly incident?: Partial<Incident>; readonly page?: Partial<Page> } = {}) {
  const clock = manualClock('2026-11-21T07:00:00Z');
  const ports = memoryPorts({ operations, clock });
  const incident = anIncident({ severity: 1, ...given.incident });
  const page = aPage(incident, '2026-11-21T07:00:00Z', {
    pageId: `${incident.id}/1/0/0/ada/0`,
    person: 'ada',
    status: 'accepted',
    ...given.page,
  });
  await ports.incidents.create(incident, undefined);
  await ports.outbox.add(page);
  const url = await acknowledgeUrl(page, { operations, linkSigner: ports.linkSigner }, clock.now());
  const path = new URL(url ?? 'https://none').pathname;
  async function ask(method: string, at = path, reached: Partial<Ports> = ports): Promise<HttpResponse> {
    const event = {
      version: '2.0',
      rawPath: at,
      rawQueryString: '',
      headers: {},
      isBase64Encoded: false,
      requestContext: { requestId: 'r-1', http: { method, path: at, sourceIp: '192.0.2.1' } },
    };
    const host = { ports: reached, operations, region: home, clock, log: silentLogger, codeSha256: '0c'.repeat(32) };
    const answer = await runEndpoint(acknowledgeEndpoint, event, host, new Date(clock.now().getTime() + 10_000));
    return { status: answer.statusCode, headers: answer.headers ?? {}, body: answer.body ?? '' };
  }
  const events = () => ports.auditLog.recent(new Date(0), 100);
  const stored = async () => (await ports.incidents.get(incident.id)) ?? incident;
  return { clock, ports, incident, page, path, ask, events, stored };
}

describe('the link of a page', () => {
  it('shows what it is about and a button, and changes nothing by being looked at', async () => {
    const { ask, stored, events } = await world();
    const { status, headers, body } = await ask('GET');
    expect(status).toBe(200);
    expect(body).toContain('<html lang="en">');
    expect(body).toContain('ServiceDown of orders in us-east-1');
    expect(body).toContain('<form method="post"><button type="submit">Acknowledge as ada</button></form>');
    expect(body).not.toContain('<script');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['cache-control']).toBe('no-store');
    expect((await stored()).acknowledgements).toEqual([]);
    expect(await events()).toEqual([]);
  });

  it('acknowledges as its person when the button is pressed, once, and audits it', async () => {
    const { ask, stored, events, ports, incident } = await world();
    const { status, body } = await ask('POST');
    expect(status).toBe(200);
    expect(body).toContain('Acknowledged');
    expect(await stored()).toMatchObject({ status: 'acknowledged', acknowledgements: [{ by: 'ada', at: '2026-11-21T07:00:00.000Z' }] });
    expect((await ports.incidents.timeline(incident.id)).map(({ kind, by }) => ({ kind, by }))).toEqual([
      { kind: 'acknowledgement', by: 'ada' },
    ]);
    expect((await events()).map(({ actor, action, outcome }) => ({ actor, action, outcome }))).toEqual([
      { actor: 'person/ada', action: 'acknowledge-by-link', outcome: 'success' },
      { actor: 'person/ada', action: 'acknowledge-by-link', outcome: 'pending' },
    ]);
  });

  it('is spent then: pressed again it is refused and audited, and changes nothing', async () => {
    const { ask, stored, events, clock } = await world();
    await ask('POST');
    const before = await stored();
    clock.advance(60);
    const { status, body } = await ask('POST');
    expect(status).toBe(410);
    expect(body).toContain('The link was used');
    expect(await stored()).toEqual(before);
    expect((await events())[0]).toMatchObject({ outcome: 'failure', details: { why: 'spent' } });
  });

  it('pressed twice at once acknowledges once', async () => {
    const { ask, stored } = await world();
    const answers = await Promise.all([ask('POST'), ask('POST')]);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect((await stored()).acknowledgements).toHaveLength(1);
  });

  it('is refused when a character of it is another one, wherever', async () => {
    const { ask, path, stored } = await world();
    for (let index = 1; index < path.length; index++) {
      const forged = `${path.slice(0, index)}${path[index] === 'A' ? 'B' : 'A'}${path.slice(index + 1)}`;
      expect((await ask('POST', forged)).status, `character ${index}`).toBe(403);
    }
    expect((await stored()).acknowledgements).toEqual([]);
  });

  it.each(['/', '/x', `/${'A'.repeat(50)}`, '/..%2f', `/${'é'.repeat(50)}`, `/${'A'.repeat(5000)}`])(
    'is refused and audited when it is %j',
    async (forged) => {
      const { ask, events } = await world();
      const { status, body } = await ask('GET', forged);
      expect(status).toBe(403);
      expect(body).toContain('Not a link of ours');
      expect(await events()).toMatchObject([{ actor: 'nobody', outcome: 'failure', details: { why: 'forged' } }]);
    },
  );

  it('is over after an hour', async () => {
    const { ask, clock, events } = await world();
    clock.advance(operations.incidents.linkLasts - 1);
    expect((await ask('GET')).status).toBe(200);
    clock.advance(1);
    expect((await ask('POST')).status).toBe(410);
    expect((await events())[0]).toMatchObject({ outcome: 'failure', details: { why: 'expired' } });
  });

  it('does nothing for an incident that is over, or that began anew since', async () => {
    const resolved = await world();
    await resolved.ports.incidents.update({ ...(await resolved.stored()), status: 'resolved' });
    expect((await resolved.ask('POST')).body).toContain('It is over');
    const anew = await world();
    await anew.ports.incidents.update({ ...(await anew.stored()), generation: 2 });
    expect((await anew.ask('POST')).status).toBe(410);
    expect((await anew.stored()).acknowledgements).toEqual([]);
    expect((await anew.events())[0]).toMatchObject({ details: { why: 'outdated' } });
  });

  it('of another Region is refused and audited, whoever signed it', async () => {
    const foreign = await world({ incident: { home: elsewhere }, page: { home: elsewhere } });
    // Signed for its own home: this Region's endpoint takes it for none of its own.
    expect((await foreign.ask('POST')).status).toBe(403);
    // Signed here, for an incident whose home is another Region.
    const here = await acknowledgeUrl({ ...foreign.page, home }, { operations, linkSigner: foreign.ports.linkSigner }, foreign.clock.now());
    const answer = await foreign.ask('POST', new URL(here ?? '').pathname);
    expect(answer.body).toContain('Not a link of this Region');
    expect((await foreign.events()).map(({ details }) => details.why).toSorted()).toEqual(['foreign-home', 'forged']);
    expect((await foreign.stored()).acknowledgements).toEqual([]);
  });

  it('answers GET, HEAD and POST, and nothing else', async () => {
    const { ask, stored } = await world();
    expect((await ask('HEAD')).status).toBe(200);
    for (const method of ['PUT', 'DELETE', 'OPTIONS']) expect((await ask(method)).status).toBe(405);
    expect((await stored()).acknowledgements).toEqual([]);
  });

  it('a press that died anywhere is made good by the next one', async () => {
    const { ask, ports } = await world();
    const whole = watchedRun(ports);
    await ask('POST', undefined, whole.ports);
    expect(whole.calls).toContain('incidents.spend');
    for (const call of whole.calls.keys()) {
      for (const when of ['before', 'after'] as const) {
        const death: Death = { call: call + 1, when };
        const again = await world();
        await again.ask('POST', undefined, watchedRun(again.ports, { death }).ports);
        again.clock.advance(5);
        await again.ask('POST');
        expect((await again.stored()).acknowledgements, `${when} ${whole.calls[call]}`).toHaveLength(1);
        expect((await again.stored()).status).toBe('acknowledged');
      }
    }
  });
});
