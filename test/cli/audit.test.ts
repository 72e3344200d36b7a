import { describe, expect, test } from 'vitest';
import { EventId } from '../../functions/audit/events/event.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { anEventId } from '../support/audit-world.ts';
import { anIncident } from '../support/incidents.ts';
import { auditCliWorld } from './audit-cli-world.ts';

const why = ['--reason', 'request 4711', '--basis', 'GDPR Art. 17(1)(b)'] as const;

describe('audit log', () => {
  test('shows who did what, newest first, and that it was looked at is in the log with name and purpose', async () => {
    const { run, record, ports } = auditCliWorld();
    await record({ userId: 'u-early', at: '2026-11-21T10:00:00.000Z' });
    await record({ userId: 'u-late', at: '2026-11-21T11:30:00.000Z', outcome: 'denied', patientRef: 'patient-1' });
    const { stdout, exitCode } = await run('audit', 'log', '--purpose', 'a complaint');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/2026-11-21T11:30:00Z\s+u-late\s+record.read\s+denied\s+Observation\/o-1\s+patient-1[\s\S]*u-early/);
    expect(await ports.auditLog.recent(new Date(0), 1)).toMatchObject([
      { actor: 'cli/lab/alice', action: 'audit.read', details: { purpose: 'a complaint', found: 2 } },
    ]);
  });

  test('finds by everything that is given, and pages', async () => {
    const { run, record } = auditCliWorld();
    for (const minute of [1, 2, 3]) await record({ patientRef: 'patient-1', at: `2026-11-21T11:0${minute}:00.000Z` });
    await record({ patientRef: 'patient-1', action: 'record.update' });
    const words = ['audit', 'log', '--json', '--patient', 'patient-1', '--action', 'record.read', '--since', '2h', '--limit', '2'];
    const first = JSON.parse((await run(...words)).stdout);
    const second = JSON.parse((await run(...words, '--next', first.next)).stdout);
    const times = [...first.events, ...second.events].map(({ body }) => body.at.slice(11, 16));
    expect([times, second.next]).toEqual([['11:03', '11:02', '11:01'], undefined]);
  });

  test('pages through the time that the first page looked at, however long somebody reads one', async () => {
    const { run, record, clock } = auditCliWorld();
    for (const minute of [1, 30, 59]) await record({ at: `2026-11-21T11:${String(minute).padStart(2, '0')}:00.000Z` });
    const words = ['audit', 'log', '--json', '--user', 'u-17', '--since', '1h', '--limit', '1'];
    const times: string[] = [];
    for (let next: string | undefined = ''; next !== undefined; clock.advance(1200)) {
      const page = JSON.parse((await run(...words, ...(next === '' ? [] : ['--next', next]))).stdout);
      times.push(...page.events.map((event: { readonly body: { readonly at: string } }) => event.body.at.slice(11, 16)));
      next = page.next;
    }
    expect(times).toEqual(['11:59', '11:30', '11:01']);
  });

  test('that finds nothing is in the log as well', async () => {
    const { run, acts } = auditCliWorld();
    expect((await run('audit', 'log', '--user', 'nobody')).stdout).toContain('No event fits');
    expect(await acts()).toEqual(['audit.read outcome success']);
  });

  test('shows nothing when it cannot be recorded that somebody looked', async () => {
    const { run, record, ports } = auditCliWorld();
    await record({ userId: 'u-secret' });
    ports.auditEvents.failNext('record', new ServiceUnavailable('the table is throttled'));
    const { stdout, stderr, exitCode } = await run('audit', 'log');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toContain('the table is throttled');
  });

  test.each([
    [['--from', '2026-11-21 10:00'], 'is no time with a zone', 2],
    [['--from', '2026-11-21T10:00:00Z', '--since', '2h'], 'both say when it begins', 2],
    [['--since', 'yesterday'], 'Wanted a length of time', 2],
    [['--limit', '0'], 'Wanted 1 to 1000', 2],
    [['--outcome', 'fine'], 'Wanted: success', 1],
    [['--next', 'x'], 'is not the end of a page', 1],
    [['--next', 'x.?'], 'is not the end of a page', 1],
  ] as const)('with %j says what it wants', async (words, says, code) => {
    const { run } = auditCliWorld();
    const { stderr, exitCode } = await run('audit', 'log', ...words);
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining(says), exitCode: code });
  });
});

describe('audit verify', () => {
  test('of sound logs says so, Region by Region, with the key that outsiders need', async () => {
    const { run, record, sequence, keyOf } = auditCliWorld();
    await record();
    await sequence();
    const { stdout, exitCode } = await run('audit', 'verify');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('us-east-1: the log only grew');
    expect(stdout).toContain(`log 1: 1 entries, key ${await keyOf()}`);
    expect(stdout).toContain('us-west-2: no log yet');
    const json = JSON.parse((await run('audit', 'verify', '--json', '--region', 'us-east-1')).stdout);
    expect(json).toMatchObject([{ region: 'us-east-1', entries: 1, findings: [], logs: [{ generation: 1, size: 1 }] }]);
  });

  test('of a tampered entry names what is wrong and ends with 1', async () => {
    const { run, record, sequence, versions } = auditCliWorld();
    await record();
    await sequence();
    const path = 'us-east-1 1/tile/entries/000.p/1';
    const [bundle] = versions.get(path) ?? [];
    if (!bundle) throw new Error('the bundle is somewhere else');
    versions.set(path, [{ ...bundle, bytes: Buffer.from(Buffer.from(bundle.bytes).toString().replace('record.read', 'record.edit')) }]);
    const { stdout, exitCode } = await run('audit', 'verify', '--region', 'us-east-1');
    expect({ stdout, exitCode }).toEqual({
      stdout: expect.stringMatching(/AuditLogRewritten[\s\S]*docs\/runbooks\/AuditLogRewritten.md/),
      exitCode: 1,
    });
  });

  test('reads with --full what was read before', async () => {
    const { run, record, sequence, ports, region, versions, clock } = auditCliWorld();
    await record();
    await sequence();
    const [note] = versions.get('us-east-1 1/checkpoint') ?? [];
    await ports.auditWatchMemory.remember({
      ...{ region, generation: 1, size: 1, verifiedSize: 1, seenAt: timestamp(clock.now()) },
      note: Buffer.from(note?.bytes ?? []).toString(),
    });
    const entries = async (...words: string[]) =>
      JSON.parse((await run('audit', 'verify', '--json', '--region', 'us-east-1', ...words)).stdout)[0].entries;
    expect([await entries(), await entries('--full')]).toEqual([0, 1]);
  });

  test('of a Region that does not answer tells that and goes on with the others', async () => {
    const { run, portsOf, operations } = auditCliWorld();
    portsOf(operations.regions.standby).auditObjects.failNext('get', new ServiceUnavailable('no answer'));
    const { stdout, exitCode } = await run('audit', 'verify');
    expect({ stdout, exitCode }).toEqual({ stdout: expect.stringMatching(/us-west-2: cannot be looked at: no answer/), exitCode: 1 });
    expect(stdout).toContain('us-east-1: no log yet');
  });
});

describe('audit prove, and verify --bundle', () => {
  async function proven(...words: string[]) {
    const world = auditCliWorld();
    const event = await world.record({ eventId: anEventId('a'), patientRef: 'patient-1' });
    await world.record({ eventId: anEventId('b') });
    await world.sequence();
    const made = await world.run('audit', 'prove', anEventId('a'), anEventId('b'), '--out', 'two.tlog-proof', ...words);
    world.files.set('log.vkey', `# of the hospital\n${await world.keyOf()}\n`);
    return { ...world, event, made, text: world.files.get('two.tlog-proof') ?? '' };
  }
  const check = ['audit', 'verify', '--bundle', 'two.tlog-proof'] as const;

  test('give a file that holds by itself, and the reading of it is in the log', async () => {
    const { run, made, acts, keyOf } = await proven();
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 events are proven in two.tlog-proof') });
    expect(await acts()).toContain('audit.read outcome success');
    const { stdout, exitCode } = await run(...check, '--key-file', 'log.vkey');
    expect({ stdout, exitCode }).toEqual({ stdout: expect.stringContaining('All 2 proofs hold.'), exitCode: 0 });
    expect(stdout).toContain('u-17 to Observation/o-1, patient patient-1, told by ehr');
    const json = JSON.parse((await run(...check, '--json', '--key', await keyOf())).stdout);
    expect(json).toMatchObject({
      holds: true,
      proofs: [{ holds: true, leaf: { eventId: anEventId('a') }, checkpoint: { size: 2 } }, { holds: true }],
    });
  });

  test('verify without opening a deployment', async () => {
    const { text, keyOf } = await proven();
    const open = async (): Promise<never> => {
      throw new Error('it was opened');
    };
    const offline = auditCliWorld({ host: { open, openWhereAnswered: open } });
    offline.files.set('two.tlog-proof', text);
    expect((await offline.run(...check, '--key', await keyOf())).exitCode).toBe(0);
  });

  test.each([
    [
      'an event',
      (text: string) =>
        text.replace(
          /^extra (.+)$/m,
          (_, extra: string) =>
            `extra ${Buffer.from(Buffer.from(extra, 'base64').toString().replaceAll('u-17', 'u-18')).toString('base64')}`,
        ),
      'not the one that the entry commits to',
    ],
    ['the checkpoint', (text: string) => text.replaceAll('\n2\n', '\n3\n'), 'refused'],
    [
      'a hash',
      (text: string) => text.replace(/\n[A-Za-z0-9+/]{43}=\n\n/, `\n${Buffer.alloc(32, 7).toString('base64')}\n\n`),
      'It is not entry',
    ],
  ])('refuse a file in which %s was changed', async (_, change, says) => {
    const { run, files, text } = await proven();
    expect(change(text)).not.toBe(text);
    files.set('two.tlog-proof', change(text));
    const { stdout, exitCode } = await run(...check, '--key-file', 'log.vkey');
    expect({ stdout, exitCode }).toEqual({ stdout: expect.stringContaining(says), exitCode: 1 });
  });

  test('refuse it under the key of another log', async () => {
    const { run, keyOf, operations } = await proven();
    const { stdout, exitCode } = await run(...check, '--key', await keyOf(operations.regions.standby));
    expect({ stdout, exitCode }).toEqual({ stdout: expect.stringContaining('signed by none of the given keys'), exitCode: 1 });
  });

  test('leave out on demand what the events say', async () => {
    const { run, text } = await proven('--without-bodies');
    expect(Buffer.from(/^extra (.+)$/m.exec(text)?.[1] ?? '', 'base64').toString()).not.toMatch(/patient-1|u-17/);
    expect((await run(...check, '--key-file', 'log.vkey')).stdout).toContain('All 2 proofs hold.');
  });

  test('hold after the events were erased', async () => {
    const { run } = await proven();
    await run('audit', 'erase', '--patient', 'patient-1', ...why, '--yes');
    expect((await run('audit', 'prove', anEventId('a'), '--out', 'erased.tlog-proof')).stdout).toContain('1 of them erased');
    const { stdout, exitCode } = await run('audit', 'verify', '--bundle', 'erased.tlog-proof', '--key-file', 'log.vkey');
    expect({ stdout, exitCode }).toEqual({ stdout: expect.stringContaining('it was erased, or left out'), exitCode: 0 });
    expect(stdout).not.toContain('patient-1');
  });

  test('prove an event once that is named twice', async () => {
    const { run, files } = await proven();
    const twice = [anEventId('a'), `us-east-1/${anEventId('a')}`, anEventId('b')];
    expect((await run('audit', 'prove', ...twice, '--out', 'once.tlog-proof')).stdout).toContain('2 events are proven');
    expect(files.get('once.tlog-proof')?.match(/c2sp.org\/tlog-proof/g)).toHaveLength(2);
  });

  test('do not overwrite a file, and read nothing for it, unless they are told to', async () => {
    const { run, files, text, acts } = await proven();
    const before = await acts();
    const again = ['audit', 'prove', anEventId('a'), '--out', 'two.tlog-proof'];
    expect(await run(...again)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is there already') });
    expect(files.get('two.tlog-proof')).toBe(text);
    expect(await acts()).toEqual(before);
    expect((await run(...again, '--force')).exitCode).toBe(0);
    expect(files.get('two.tlog-proof')).not.toBe(text);
  });

  test('wait for an event that was recorded just now', async () => {
    const world = auditCliWorld();
    await world.record({ eventId: anEventId('a') });
    const sleep = world.clock.sleep;
    world.clock.sleep = async (milliseconds) => {
      await world.sequence();
      return sleep(milliseconds);
    };
    expect((await world.run('audit', 'prove', anEventId('a'), '--out', 'a.tlog-proof')).exitCode).toBe(0);
  });

  test('say of an event that never comes into the log that it waits', async () => {
    const { run, record, files } = auditCliWorld();
    await record({ eventId: anEventId('a') });
    const { stderr, exitCode } = await run('audit', 'prove', anEventId('a'), '--out', 'a.tlog-proof');
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining('waits for its place'), exitCode: 1 });
    expect(files.size).toBe(0);
  });

  test('of an incident have what was done to it and what is linked to it', async () => {
    const { run, record, sequence, ports, files } = auditCliWorld();
    const incident = anIncident({ openedAt: '2026-11-21T11:50:00Z', links: [{ kind: 'audit', ref: anEventId('linked') }] });
    await ports.incidents.create(incident, undefined);
    await record({ eventId: anEventId('linked'), at: '2026-11-01T00:00:00.000Z' });
    await record({ eventId: anEventId('done'), resource: incident.id });
    await record({ eventId: anEventId('other') });
    await sequence();
    const { stdout, exitCode } = await run('audit', 'prove', '--json', '--incident', incident.id, '--out', 'i.tlog-proof');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).events.map(({ eventId }: { eventId: string }) => eventId)).toEqual([anEventId('done'), anEventId('linked')]);
    expect(files.get('i.tlog-proof')?.match(/c2sp.org\/tlog-proof/g)).toHaveLength(2);
  });

  test.each([
    [['prove', '--out', 'x'], 'which events?', 2],
    [['prove', 'patient-1', '--out', 'x'], 'what is named as event 1 of 1 is no event', 1],
    [['prove', anEventId('a'), `us-east-1/${anEventId('a')}/b`, '--out', 'x'], 'what is named as event 2 of 2 is no event', 1],
    [['prove', 'sa-east-1/0190a5c4-0000-4000-8000-000000000001', '--out', 'x'], 'is no event', 1],
    [['prove', '0190a5c4-0000-4000-8000-000000000001', '--out', 'x'], 'recorded nowhere', 1],
    [['prove', '0190a5c4-0000-4000-8000-000000000001'], 'into which file?', 2],
    [['verify', '--bundle', 'x'], 'must not come with the proof', 2],
    [['verify', '--key', 'x'], 'Add --bundle', 2],
    [['verify', '--bundle', 'x', '--full'], '--full is for the published logs', 2],
    [['verify', '--bundle', 'x', '--key', 'x', '--quorum', '1'], 'Add --witness', 2],
  ] as const)('%j say what they want', async (words, says, code) => {
    const { run } = auditCliWorld();
    const { stderr, exitCode } = await run('audit', ...words);
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining(says), exitCode: code });
  });
});

describe('audit export', () => {
  test.each([
    [['--format', 'csv'], /^region,eventId,at/],
    [['--format', 'ndjson'], /^\{"region":"us-east-1"/],
    [['--format', 'fhir'], /^\{"resourceType":"AuditEvent"/],
    [['--format', 'fhir', '--bundle'], /^\{"resourceType":"Bundle"/],
  ] as const)('with %j writes a file, and tells the log of its beginning and its end', async (words, begins) => {
    const { run, record, files, acts } = auditCliWorld();
    await record();
    const { stdout, exitCode } = await run('audit', 'export', ...words, '--user', 'u-17', '--since', '30d', '--out', 'events');
    expect({ stdout, exitCode }).toEqual({ stdout: expect.stringContaining('1 event in events'), exitCode: 0 });
    expect(files.get('events')).toMatch(begins);
    expect(await acts()).toEqual(expect.arrayContaining(['audit.read intent pending', 'audit.read outcome success']));
  });

  test.each([
    [['--format', 'pdf', '--since', '1d', '--out', 'x'], 'Allowed choices are fhir, csv, ndjson'],
    [['--format', 'csv', '--out', 'x'], 'from when?'],
    [['--format', 'csv', '--since', '1d'], 'into which file?'],
    [['--format', 'csv', '--bundle', '--since', '1d', '--out', 'x'], '--bundle is for --format fhir'],
  ] as const)('with %j says what it wants', async (words, says) => {
    const { run } = auditCliWorld();
    expect(await run('audit', 'export', ...words)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(says) });
  });
});

describe('audit erase', () => {
  test('shows the plan, erases, and says both in the log', async () => {
    const { run, record, ports, acts } = auditCliWorld();
    const event = await record({ patientRef: 'patient-1' });
    const { stdout, stderr, exitCode } = await run('audit', 'erase', '--patient', 'patient-1', ...why, '--yes');
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(new RegExp(`Erase what 1 event holds[\\s\\S]*us-east-1/${event.eventId}`));
    expect(stdout).toContain('1 event erased');
    const [stored] = await ports.auditEvents.get([event]);
    expect([stored?.body, stored?.leaf]).toEqual([undefined, event.leaf]);
    expect(await acts()).toEqual(expect.arrayContaining(['audit.erase intent pending', 'audit.erase outcome success']));
    expect(stdout + stderr).not.toContain('patient-1');
  });

  test('takes along whoever looked for that patient, and keeps the act of erasing itself', async () => {
    const { run, record, ports } = auditCliWorld();
    await record({ patientRef: 'patient-1' });
    expect((await run('audit', 'log', '--patient', 'patient-1')).stdout).toContain('record.read');
    await run('audit', 'export', '--patient', 'patient-1', '--since', '1d', '--format', 'csv', '--out', 'answer.csv');
    const { stdout, stderr, exitCode } = await run('audit', 'erase', '--patient', 'patient-1', ...why, '--yes');
    expect({ stdout, exitCode }).toEqual({ stdout: expect.stringContaining('4 events erased'), exitCode: 0 });
    expect(stderr).toContain('audit.read');
    expect((await ports.auditLog.recent(new Date(0), 100)).filter(({ patientRef }) => patientRef !== undefined)).toEqual([]);
    const all = { from: new Date(0), until: new Date('2027-01-01T00:00:00Z') };
    const { events: erasings } = await ports.auditEvents.query({ ...all, action: 'audit.erase' }, { limit: 10 });
    const again = await run('audit', 'erase', ...erasings.flatMap(({ eventId }) => ['--event', eventId]), ...why, '--yes');
    expect(again).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/Nothing is left to erase[\s\S]*Kept: acts of Codeblue/) });
    expect((await ports.auditEvents.get(erasings)).map(({ body }) => body)).toEqual(erasings.map(({ body }) => body));
  });

  test.each(['--reason', '--basis'])('refuses a %s that names the patient, since it stays in the log', async (option) => {
    const { run, acts } = auditCliWorld();
    const words: string[] = [...why];
    words[words.indexOf(option) + 1] = 'a wish of patient-1';
    const { stdout, stderr, exitCode } = await run('audit', 'erase', '--patient', 'patient-1', ...words, '--yes');
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining('names the patient'), exitCode: 1 });
    expect(stdout + stderr).not.toContain('patient-1');
    expect(await acts()).toEqual([]);
  });

  test('asks, and without a yes does nothing', async () => {
    const { run, record, ports } = auditCliWorld({ isTTY: true });
    const event = await record({ patientRef: 'patient-1' });
    const { exitCode } = await run('audit', 'erase', '--patient', 'patient-1', ...why);
    const [stored] = await ports.auditEvents.get([event]);
    expect([exitCode, stored?.body]).toEqual([1, event.body]);
  });

  test.each([[['--dry-run']], [['--dry-run', '--json']]])('with %j shows the plan alone', async (words) => {
    const { run, record, ports } = auditCliWorld();
    const event = await record({ patientRef: 'patient-1' });
    const { stdout, exitCode } = await run('audit', 'erase', '--patient', 'patient-1', ...why, ...words);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(event.eventId)]);
    expect((await ports.auditEvents.get([event]))[0]?.body).toBe(event.body);
  });

  test('keeps what is nobody’s to erase, erases the rest, and ends with 1', async () => {
    const { run, record, ports, region, clock } = auditCliWorld();
    const [event, evidence] = [await record({ eventId: anEventId('a') }), await record({ eventId: anEventId('b') })];
    await ports.incidents.create(
      anIncident({ breachDeclaredAt: timestamp(clock.now()), links: [{ kind: 'audit', ref: evidence.eventId }] }),
      undefined,
    );
    const ids = [event.eventId, evidence.eventId, EventId.parse(anEventId('unknown'))].flatMap((id) => ['--event', id]);
    const { stderr, exitCode } = await run('audit', 'erase', ...ids, ...why, '--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/evidence of a breach[\s\S]*of inc-[\s\S]*Recorded nowhere/);
    const bodies = await Promise.all(
      [event, evidence].map(async ({ eventId }) => (await ports.auditEvents.get([{ region, eventId }]))[0]?.body !== undefined),
    );
    expect(bodies).toEqual([false, true]);
  });

  test.each([
    [[...why], 'whose events?'],
    [['--patient', 'patient-1', '--event', 'x', ...why], 'whose events?'],
    [['--event', `us-east-1/${anEventId('a')}`, ...why], 'wherever it was recorded'],
    [['--patient', 'patient-1', '--reason', 'x'], '--basis'],
    [['--patient', 'patient-1', '--basis', 'x'], '--reason'],
  ])('with %j says what it wants', async (words, says) => {
    const { run } = auditCliWorld();
    expect(await run('audit', 'erase', ...words)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(says) });
  });
});

test('the help says that a key is rotated by the config', async () => {
  const { run } = auditCliWorld();
  expect((await run('audit', '--help')).stdout).toContain('raise audit.generation by one and deploy');
});
