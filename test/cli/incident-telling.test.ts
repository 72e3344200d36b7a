import { describe, expect, test } from 'vitest';
import { incidentWorld } from './incident-world.ts';

const why = ['--reason', 'storage maintenance'] as const;

describe('incident silence', () => {
  test('holds pages back for what it names, is shown, and can be ended', async () => {
    const { run, ports, clock } = await incidentWorld();
    const { stdout } = await run(
      'incident',
      'silence',
      '--subject',
      'hms',
      '--alarm',
      'ReplicaLagging',
      '--for',
      '2h',
      ...why,
      '--yes',
      '--json',
    );
    const { silenceId, until } = JSON.parse(stdout);
    expect(until).toBe('2026-11-21T14:00:00.000Z');
    expect((await run('incident', 'list')).stdout).toContain(`${silenceId}  ReplicaLagging, hms until`);
    clock.advance(60);
    expect((await run('incident', 'silence', '--end', silenceId)).exitCode).toBe(0);
    expect((await ports.incidents.silences())[0]?.until).toBe('2026-11-21T12:01:00.000Z');
    expect((await run('incident', 'list')).stdout).not.toContain('Silences');
    expect((await run('incident', 'silence', '--end', silenceId)).exitCode).toBe(1);
  });

  test.each([
    ['everything', [], 'of everything is refused'],
    ['a thing that the config does not have', ['--subject', 'john-doe'], 'has nothing called'],
    ['a Region that it does not have', ['--in-region', 'eu-north-1'], 'no Region of this deployment'],
    ['a name that no alarm has', ['--alarm', 'service down'], 'no name of an alarm'],
  ])('of %s is refused', async (_, what, says) => {
    const { run, ports } = await incidentWorld();
    expect(await run('incident', 'silence', ...what, '--for', '2h', ...why, '--yes')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(says),
    });
    expect(await ports.incidents.silences()).toEqual([]);
  });

  test('for longer than a week is refused', async () => {
    const { run } = await incidentWorld();
    expect((await run('incident', 'silence', '--subject', 'hms', '--for', '8d', ...why, '--yes')).stderr).toContain('longer than 7 d');
  });
});

describe('incident communicate', () => {
  const words = ['--word', 'audience=Customer', '--word', 'description=slow orders', '--word', 'channel=status.example.org'] as const;

  async function written() {
    const world = await incidentWorld();
    const { stdout } = await world.run(
      'incident',
      'communicate',
      world.incident.id,
      '--template',
      'hms-external',
      ...words,
      '--yes',
      '--json',
    );
    const { hash } = JSON.parse(stdout);
    world.clock.advance(60);
    const answer = (who: string, how: '--approve' | '--reject') =>
      world.as(who, 'incident', 'communicate', world.incident.id, how, hash.slice(0, 16), '--yes');
    return { ...world, hash, answer };
  }

  test('a text with words leaves the house when somebody else has approved exactly it', async () => {
    const { answer, says, hash, run, incident } = await written();
    const { stdout, exitCode } = await answer('lab/bob', '--approve');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('We are experiencing slow orders that may affect orders.');
    expect(stdout).toContain('written by lab/alice, approved by lab/bob');
    expect(await says()).toEqual([
      `alice communication: hms-external ${hash.slice(0, 16)} written, and waits for somebody else`,
      expect.stringContaining(`bob communication: hms-external ${hash.slice(0, 16)}: written by lab/alice, approved by lab/bob`),
    ]);
    expect((await run('incident', 'communicate', incident.id)).stdout).toMatch(/hms-external\s+approved/);
  });

  test.each([
    ['whoever wrote it', 'lab/alice', 'nobody approves their own words'],
    ['the same person by another principal', 'arn:aws:iam::111122223333:role/alice', 'nobody approves their own words'],
    ['somebody whom the config does not know', 'lab/mallory', 'nobody of incidents.people'],
  ])('%s approves nothing, and uses nothing up', async (_, who, says) => {
    const { answer } = await written();
    expect(await answer(who, '--approve')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(says) });
    expect((await answer('lab/bob', '--approve')).exitCode).toBe(0);
  });

  test('the first answer is final, and the writer may withdraw', async () => {
    const { answer } = await written();
    expect((await answer('lab/alice', '--reject')).exitCode).toBe(0);
    expect((await answer('lab/bob', '--approve')).stderr).toContain('cannot be answered any more: rejected');
  });

  test('what nobody approves in time must be written anew', async () => {
    const { answer, clock, operations } = await written();
    clock.advance(operations.failover.approvals.expireAfter - 60);
    expect((await answer('lab/bob', '--approve')).stderr).toContain('expired');
  });

  test('another text under the same name is refused', async () => {
    const { ports, incident, hash, answer } = await written();
    const key = `incidents/${incident.id}/communications/${hash}.json`;
    const stored = await ports.reports.get(incident.home, key);
    const forged = Buffer.from(
      Buffer.from(stored ?? [])
        .toString()
        .replaceAll('slow orders', 'lost orders'),
    );
    ports.reports.get = async (_, asked) => (asked === key ? forged : undefined);
    expect((await answer('lab/bob', '--approve')).stderr).toContain('is not the one that its name says');
  });

  test('facts alone go to people inside without anybody', async () => {
    const { run, incident } = await incidentWorld();
    const { stdout, exitCode } = await run('incident', 'communicate', incident.id, '--template', 'hms-internal', '--yes');
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: [
        'INCIDENT: ServiceDown of orders in us-east-1',
        '',
        'INCIDENT: ServiceDown of orders in us-east-1',
        'Severity: P1',
        'Status: Investigating',
        'Impact: orders: 1 of 1 alarms ring',
        'ETA: promised by 2026-11-21 19:50 UTC',
        '',
      ].join('\n'),
    });
  });

  test.each([
    ['a place left open', ['--template', 'hms-external', '--word', 'description=slow'], 'lacks audience, channel'],
    ['a place that is not there', ['--template', 'hms-internal', '--word', 'patient=x'], 'has no place for: patient'],
    ['an unknown template', ['--template', 'poem'], 'There are: hms-internal'],
    ['words of many lines', ['--template', 'hms-internal', '--word', 'impact=a\nb'], 'control characters'],
  ])('%s is refused', async (_, options, says) => {
    const { run, incident } = await incidentWorld();
    expect((await run('incident', 'communicate', incident.id, ...options, '--yes')).stderr).toContain(says);
  });

  test('braces that somebody wrote are words and no places', async () => {
    const { run, incident } = await incidentWorld();
    const { stdout } = await run(
      'incident',
      'communicate',
      incident.id,
      '--template',
      'hms-internal',
      '--word',
      'impact={severity} $& {eta}',
      '--yes',
      '--json',
    );
    expect(JSON.parse(stdout).communication.text).toContain('Impact: {severity} $& {eta}');
  });
});

describe('a breach of data', () => {
  async function declared() {
    const world = await incidentWorld();
    await world.run('incident', 'breach', world.incident.id, '--known-since', '2026-11-21T11:00:00Z', '--yes');
    return world;
  }

  test('starts the clocks of the law from when it became known', async () => {
    const { run, incident } = await declared();
    const { stdout } = await run('incident', 'show', incident.id);
    expect(stdout).toContain('GDPR article 33: tell the supervisory authority before 2026-11-24T11:00:00.000Z (running)');
    expect((await run('incident', 'breach', incident.id, '--yes')).stderr).toContain('cannot be set back');
  });

  test('the bundle answers what is known and marks every gap, and holds nothing that anybody noted', async () => {
    const { run, incident, ports, stored } = await declared();
    await run('incident', 'note', incident.id, 'a guess about who did it');
    await run('incident', 'phase', incident.id, 'containment', '--reason', 'a private thought');
    const { stdout, exitCode } = await run('incident', 'bundle', incident.id, '--regulation', 'gdpr', '--yes', '--json');
    expect(exitCode).toBe(0);
    const { bundle, key } = JSON.parse(stdout);
    expect(bundle.answers.every(({ gap }: { gap: string }) => gap.length > 0)).toBe(true);
    const markdown = Buffer.from((await ports.reports.get(incident.home, key.replace('.json', '.md'))) ?? []).toString();
    for (const part of [
      'known since 2026-11-21T11:00:00.000Z',
      'ServiceDown of orders in us-east-1',
      'Compliance, compliance@example.org',
      'containment begins',
      '**GAP**: patients, staff',
    ]) {
      expect(markdown).toContain(part);
    }
    expect(markdown).not.toMatch(/guess|private thought/);
    expect(await ports.reports.get(incident.home, key)).toBeDefined();
    expect((await stored()).links).toEqual([{ kind: 'evidence', ref: key }]);
  });

  test('a clock ends once, with a record', async () => {
    const { run, incident, ports } = await declared();
    const told = ['incident', 'told', incident.id, '--regulation', 'gdpr', '--reason', 'reference 2026-118', '--yes'] as const;
    const { stdout } = await run(...told, '--json');
    const { key, clocks } = JSON.parse(stdout);
    expect(clocks.map(({ regulation, status }: { regulation: string; status: string }) => `${regulation} ${status}`)).toEqual([
      'gdpr settled',
      'hipaa running',
    ]);
    expect(Buffer.from((await ports.reports.get(incident.home, key)) ?? []).toString()).toContain('reference 2026-118');
    expect((await run(...told)).stderr).toContain('gdpr was settled at 2026-11-21T12:00:00.000Z');
  });

  test('without a declaration there is neither a bundle nor a clock to end', async () => {
    const { run, incident } = await incidentWorld();
    expect((await run('incident', 'bundle', incident.id, '--regulation', 'gdpr', '--yes')).stderr).toContain('was not declared a breach');
    expect((await run('incident', 'told', incident.id, '--regulation', 'gdpr', ...why, '--yes')).stderr).toContain(
      'was not declared a breach',
    );
    expect((await run('incident', 'bundle', incident.id, '--regulation', 'ccpa', '--yes')).stderr).toContain(
      'incidents.regulations has: hipaa, gdpr',
    );
  });
});

describe('incident postmortem', () => {
  test('drafts what the facts show, changes nothing, and keeps it when asked', async () => {
    const { run, incident, clock, ports, stored, acts } = await incidentWorld();
    clock.advance(3600);
    await run('incident', 'ack', incident.id);
    await run('incident', 'note', incident.id, 'a | pipe <b>and</b>\n# a heading');
    await run('incident', 'resolve', incident.id, '--reason', 'the disk was full', '--yes');
    const before = await acts();
    const { stdout, exitCode } = await run('incident', 'postmortem', incident.id);
    expect(exitCode).toBe(0);
    for (const part of [
      '| response | 2026-11-21T12:20:00.000Z | 2026-11-21T13:00:00.000Z | 1 h 10 min | **missed** |',
      '- Resolved within 1 h 10 min',
      '- Answered within 1 h 10 min',
      '- Nobody was its commander.',
      '| Bring docs/runbooks/ServiceDown.md up to date',
      'note: a \\| pipe \\<b\\>and\\</b\\> \\# a heading |',
    ]) {
      expect(stdout).toContain(part);
    }
    const [, badly = ''] = stdout.split('## What went badly');
    expect(badly).toContain('Answered within');
    expect(await acts()).toEqual(before);
    const kept = JSON.parse((await run('incident', 'postmortem', incident.id, '--keep', '--yes', '--json')).stdout);
    expect(Buffer.from((await ports.reports.get(incident.home, kept.key)) ?? []).toString()).toContain('# Post-mortem of');
    expect((await stored()).links).toEqual([{ kind: 'evidence', ref: kept.key }]);
  });
});
