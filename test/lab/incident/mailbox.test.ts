import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { Region } from '../../../functions/common/ids.ts';
import { AlarmName, IncidentId, Subject } from '../../../functions/incidents/models.ts';
import { AcknowledgeUrl, pageText } from '../../../functions/incidents/paging/page-text.ts';
import { manualClock } from '../../../functions/memory/clock.ts';
import { Carriers, labChannels } from '../../../lab/incident/carriers.ts';
import type { HttpServer } from '../../../lab/incident/http-server.ts';
import { Mailbox } from '../../../lab/incident/mailbox.ts';
import { openMailboxServer } from '../../../lab/incident/mailbox-server.ts';

const text = pageText({
  kind: 'incident',
  incidentId: IncidentId.parse('inc-20261121t070000z-1f2e3d4c5b'),
  severity: 1,
  alarm: AlarmName.parse('ServiceDown'),
  subject: Subject.parse('orders'),
  region: Region.parse('us-east-1'),
  openedAt: '2026-11-21T07:00:00.000Z' as never,
  firing: 1,
  signals: 1,
  attempt: 1,
  acknowledgeUrl: AcknowledgeUrl.parse('http://127.0.0.1:1/abc'),
});
const to = { person: 'alice', method: { kind: 'email', address: 'alice@example.org' }, pageId: 'page-1' } as const;

describe('the mailbox of the lab', () => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  let mailbox: Mailbox;
  let carriers: Carriers;
  let page: HttpServer;
  beforeEach(async () => {
    mailbox = new Mailbox();
    carriers = await Carriers.open(mailbox, clock);
    page = await openMailboxServer(mailbox);
  });
  afterEach(() => {
    carriers.close();
    page.kill();
  });

  it('gets what a carrier is given, with the link', async () => {
    expect(await labChannels(carriers).send(to, text)).toBe('lab-email-1');
    expect(mailbox.all).toMatchObject([
      { person: 'alice', method: 'email', subject: text.subject, acknowledgeUrl: 'http://127.0.0.1:1/abc' },
    ]);
  });

  it('gets nothing of a carrier that is dead, which is found by the daily check as well', async () => {
    const channels = labChannels(carriers);
    carriers.of('email').kill();
    await expect(channels.send(to, text)).rejects.toThrow(ServiceUnavailable);
    expect(await channels.check(to)).toEqual(['the carrier of email does not answer']);
    expect(mailbox.all).toEqual([]);
    await carriers.of('email').revive();
    expect(await channels.check(to)).toEqual([]);
  });

  it('shows in a browser what came before and what comes, and may load nothing from elsewhere', async () => {
    const channels = labChannels(carriers);
    await channels.send(to, text);
    const document = await fetch(page.url);
    expect(document.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await document.text()).toContain('Mailbox of the lab');

    const stop = new AbortController();
    const events = await fetch(`${page.url}/events`, { signal: stop.signal });
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('"pageId":"page-1"');
    await channels.send({ ...to, pageId: 'page-2' }, text);
    expect((await reader?.read())?.value).toContain('"pageId":"page-2"');
    stop.abort();
  });

  it('answers nothing else', async () => {
    expect((await fetch(`${page.url}/etc/passwd`)).status).toBe(404);
    expect((await fetch(page.url, { method: 'POST' })).status).toBe(405);
  });
});
