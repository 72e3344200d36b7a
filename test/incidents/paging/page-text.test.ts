import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Region, timestamp } from '../../../functions/common/ids.ts';
import { type Severity, severities } from '../../../functions/common/incident-policy.ts';
import { AlarmName, IncidentId, Subject } from '../../../functions/incidents/models.ts';
import { AcknowledgeUrl, type PageFacts, pageText } from '../../../functions/incidents/paging/page-text.ts';

/** GSM 03.38, the basic set without its line breaks: what an SMS of 160 characters may hold. */
const gsm = /^[@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*$/u;

const severity = fc.constantFrom<Severity>(...severities);
const incidentId = fc.stringMatching(/^inc-\d{8}t\d{6}z-[0-9a-f]{10}$/).map((text) => IncidentId.parse(text));
const alarm = fc.stringMatching(/^[A-Z][A-Za-z0-9]{1,60}$/).map((text) => AlarmName.parse(text));
const subject = fc.stringMatching(/^[a-z][a-z0-9-]{0,60}$/).map((text) => Subject.parse(text));
const region = fc.stringMatching(/^[a-z]{2}(-[a-z]{1,12}){1,3}-\d$/).map((text) => Region.parse(text));
const time = fc.date({ min: new Date('2026-01-01'), max: new Date('2099-01-01'), noInvalidDate: true }).map(timestamp);
const count = fc.nat({ max: 1_000_000 });
const acknowledgeUrl = fc
  .tuple(fc.stringMatching(/^[a-z0-9.-]{1,80}$/), fc.stringMatching(/^[A-Za-z0-9_-]{50}$/))
  .map(([host, token]) => AcknowledgeUrl.parse(`https://${host}/${token}`));

const common = { incidentId, severity, region };
const facts: fc.Arbitrary<PageFacts> = fc.oneof(
  fc.record(
    {
      ...common,
      kind: fc.constant('incident' as const),
      alarm,
      subject,
      openedAt: time,
      firing: count,
      signals: count,
      attempt: count,
      acknowledgeUrl,
    },
    { requiredKeys: ['incidentId', 'severity', 'region', 'kind', 'alarm', 'subject', 'openedAt', 'firing', 'signals', 'attempt'] },
  ),
  fc.record({ ...common, kind: fc.constant('digest' as const), alarm, subject, incidents: count }),
  fc.record({ ...common, kind: fc.constant('test' as const), at: time }),
);

const page: PageFacts = {
  kind: 'incident',
  incidentId: IncidentId.parse('inc-20261121t070000z-1f2e3d4c5b'),
  severity: 1,
  region: Region.parse('us-east-1'),
  alarm: AlarmName.parse('ServiceDown'),
  subject: Subject.parse('registration'),
  openedAt: timestamp(new Date('2026-11-21T07:00:00Z')),
  firing: 2,
  signals: 14,
  attempt: 3,
};
/** As long as function URLs are. */
const url = AcknowledgeUrl.parse(`https://${'a'.repeat(32)}.lambda-url.us-east-1.on.aws/${'B'.repeat(50)}`);

describe('the text of a page', () => {
  it('keeps the limits of every channel, whatever the ids are', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const text = pageText(given);
        expect(text.subject.length).toBeLessThanOrEqual(100);
        expect(text.subject).toMatch(/^[\x20-\x7e]+$/);
        expect(text.short.length).toBeLessThanOrEqual(160);
        expect(text.short).toMatch(gsm);
        if (given.kind === 'incident' && given.acknowledgeUrl) expect(text.short.endsWith(` ${given.acknowledgeUrl}`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('says what it is about, since when, how often it was said, and how to answer', () => {
    const { subject, body, short } = pageText({ ...page, acknowledgeUrl: url });
    expect(subject).toBe('Severity 1: ServiceDown of registration in us-east-1');
    expect(short).toBe(`S1 ServiceDown registration ${url}`);
    expect(body).toBe(
      [
        'Severity 1: ServiceDown of registration in us-east-1.',
        'Opened 2026-11-21T07:00:00.000Z. Alarms that ring: 2. Signals so far: 14.',
        'Steps told before this one, without an answer: 2.',
        '',
        'To acknowledge, open this page and press its button (once, and not for long):',
        url,
        'or run',
        'codeblue incident ack inc-20261121t070000z-1f2e3d4c5b',
        '',
        'What to do first: docs/runbooks/ServiceDown.md',
      ].join('\n'),
    );
  });

  it('names the command where there is no link', () => {
    expect(pageText(page).short).toBe('S1 ServiceDown of registration in us-east-1. codeblue incident ack inc-20261121t070000z-1f2e3d4c5b');
  });

  it('has no input that takes free text', () => {
    // Every field of the facts is an id of a closed alphabet, a count or a time: a name with a space in it is none of them.
    const patient = 'John Doe';
    for (const schema of [AlarmName, Subject, Region, IncidentId, AcknowledgeUrl]) expect(schema.safeParse(patient).success).toBe(false);
    // @ts-expect-error: words of a source do not become a subject without its schema
    pageText({ ...page, subject: 'registration' });
    // @ts-expect-error: there is no field for a note
    pageText({ ...page, note: patient });
    // @ts-expect-error: an address is made by the endpoint alone
    pageText({ ...page, acknowledgeUrl: 'https://example.org/x' });
  });
});
