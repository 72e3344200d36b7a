import { describe, expect, test } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { dedupKeyOf } from '../support/incidents.ts';
import { testOperations } from '../support/operations.ts';
import { incidentWorld } from './incident-world.ts';

const why = ['--reason', 'the disk was full'] as const;

describe('incident list and show', () => {
  test('say who answers and which clocks are missed; nobody answering is exit code 1', async () => {
    const { run, incident, clock } = await incidentWorld();
    const { stdout, exitCode } = await run('incident', 'list');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(new RegExp(`${incident.id}\\s+P1\\s+10 min ago\\s+ServiceDown of orders\\s+nobody answers\\s+kept so far`));
    await run('incident', 'ack', incident.id);
    const answered = await run('incident', 'list', '--json');
    expect(answered.exitCode).toBe(0);
    expect(JSON.parse(answered.stdout).incidents[0]).toMatchObject({ stands: 'answered by alice until 2026-11-21T13:00:00.000Z' });
    clock.advance(3600);
    expect((await run('incident', 'list')).stdout).toContain('not answered any more');
  });

  test('show everything about one, named by its last digits', async () => {
    const { run, incident } = await incidentWorld();
    await run('incident', 'ack', incident.id);
    const { stdout, exitCode } = await run('incident', 'show', incident.id.slice(-4));
    expect(exitCode).toBe(0);
    for (const part of ['kept, after 10 min', 'detection running', 'docs/runbooks/ServiceDown.md', 'alice: acknowledged until'])
      expect(stdout).toContain(part);
    const { timeline, clocks } = JSON.parse((await run('incident', 'show', incident.id, '--json')).stdout);
    expect([timeline.length, clocks.response.status]).toEqual([1, 'kept']);
  });

  test.each([
    ['xyz', 'names no incident'],
    ['0000', 'no incident of the last 90 days ends in 0000'],
    ['inc-20261121t000000z-0123456789', 'there is no incident'],
  ])('%s is nobody', async (name, says) => {
    const { run } = await incidentWorld();
    expect(await run('incident', 'show', name)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(says) });
  });

  test('what is over is listed when it is asked for', async () => {
    const { run, incident } = await incidentWorld();
    await run('incident', 'resolve', incident.id, ...why, '--yes');
    expect((await run('incident', 'list')).stdout).toContain('No incident is open.');
    expect((await run('incident', 'list', '--since', '1h')).stdout).toContain('resolved by alice');
  });
});

describe('incident ack', () => {
  test('is by the person of the config, in the audit log by the principal, and wants no question', async () => {
    const { run, incident, stored, says, acts, ports } = await incidentWorld();
    const { stdout, exitCode } = await run('incident', 'ack', incident.id);
    expect({ stdout, exitCode }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('alice acknowledged') });
    expect(await stored()).toMatchObject({ status: 'acknowledged', acknowledgements: [{ by: 'alice' }] });
    expect(await says()).toEqual(['alice acknowledgement: acknowledged until 2026-11-21T13:00:00.000Z']);
    expect(await acts()).toEqual(['acknowledge-incident intent pending', 'acknowledge-incident outcome success']);
    expect((await ports.auditLog.recent(new Date(0), 1))[0]).toMatchObject({ actor: 'cli/lab/alice', details: { as: 'alice' } });
    expect(ports.executions.started).toEqual([]);
  });

  test('of what is over is refused with what to do, and the refusal is not hidden', async () => {
    const { run, incident } = await incidentWorld();
    await run('incident', 'resolve', incident.id, ...why, '--yes');
    const { stderr, exitCode } = await run('incident', 'ack', incident.id);
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`codeblue incident reopen ${incident.id}`) });
  });

  test('when somebody else writes at the same moment is decided again on what they wrote', async () => {
    const { run, incident, stored, ports } = await incidentWorld();
    ports.incidents.failNext('update', new Conflict('somebody was faster'));
    expect((await run('incident', 'ack', incident.id)).exitCode).toBe(0);
    expect((await stored()).acknowledgements).toHaveLength(1);
  });

  test('by one whom the config does not list for that person is refused', async () => {
    const { as, incident } = await incidentWorld();
    const { stderr, exitCode } = await as('lab/mallory', 'incident', 'ack', incident.id, '--person', 'alice');
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('does not list lab/mallory for alice') });
  });
});

describe('what changes an incident', () => {
  test('shows it and asks; without an answer it does nothing', async () => {
    const { run, incident, stored, acts } = await incidentWorld({ isTTY: true });
    const { stderr, exitCode } = await run('incident', 'resolve', incident.id, ...why);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('1 of its alarms still ring');
    expect(stderr).toContain('Nothing was done.');
    expect((await stored()).status).toBe('triggered');
    expect(await acts()).toEqual([]);
    const pipe = await incidentWorld();
    expect((await pipe.run('incident', 'resolve', pipe.incident.id, ...why)).exitCode).toBe(2);
  });

  test('worse, or back, has people told anew in its home', async () => {
    const { run, incident, ports, stored } = await incidentWorld();
    await run('incident', 'ack', incident.id);
    await run('incident', 'severity', incident.id, 'P0', ...why, '--yes');
    expect(await stored()).toMatchObject({ severity: 1, generation: 2, status: 'triggered' });
    await run('incident', 'resolve', incident.id, ...why, '--yes');
    await run('incident', 'reopen', incident.id, ...why, '--yes');
    expect(ports.executions.started.map(({ region, name }) => `${region} ${name}`)).toEqual([
      `us-east-1 ${incident.id}-2`,
      `us-east-1 ${incident.id}-3`,
    ]);
  });

  test('cut off before people were told is mended by doing it again', async () => {
    const { run, incident, ports } = await incidentWorld();
    const { start } = ports.executions;
    ports.executions.start = async () => {
      throw new Conflict('Step Functions does not answer');
    };
    expect((await run('incident', 'severity', incident.id, '1', ...why, '--yes')).exitCode).toBe(1);
    ports.executions.start = start;
    const again = await run('incident', 'severity', incident.id, '1', ...why, '--yes');
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is P0 already') });
    expect(ports.executions.started.map(({ name }) => name)).toEqual([`${incident.id}-2`]);
  });

  test('phases, roles, links, notes and pauses are lines of the timeline', async () => {
    const { run, incident, says, stored, ports } = await incidentWorld();
    await run('incident', 'phase', incident.id, 'containment');
    await run('incident', 'role', incident.id, 'commander', 'bob');
    await run('incident', 'link', incident.id, '--kind', 'execution', '--ref', 'failover-8');
    await run('incident', 'note', incident.id, 'restarted the engine');
    await run('incident', 'pause', incident.id, '--for', '1h', ...why, '--yes');
    await run('incident', 'pause', incident.id, '--end');
    expect((await says()).sort()).toEqual(
      [
        'alice phase: containment begins',
        'alice note: bob is commander',
        'alice note: linked execution failover-8',
        'alice note: restarted the engine',
        'alice decision: paused until 2026-11-21T13:00:00.000Z: the disk was full',
        'alice decision: the pause is ended',
      ].sort(),
    );
    expect(await stored()).toMatchObject({ phase: 'containment', roles: { commander: 'bob' }, pausedUntil: '2026-11-21T12:00:00.000Z' });
    expect(JSON.stringify(await ports.auditLog.recent(new Date(0), 100))).not.toContain('restarted');
  });

  test('two that are one go on as one', async () => {
    const { run, open, incident, stored } = await incidentWorld();
    const base = await open({ mark: 'b', groupKey: 'billing@us-east-1', severity: 1 });
    const other = { ...base, troubles: base.troubles.map((trouble) => ({ ...trouble, dedupKey: dedupKeyOf('b') })) };
    expect((await run('incident', 'merge', other.id, incident.id, '--yes')).stdout).toContain(`${other.id} goes on as ${incident.id}`);
    expect(await stored(other.id)).toMatchObject({ status: 'merged', mergedInto: incident.id });
    expect(await stored()).toMatchObject({ severity: 1, generation: 2 });
    expect((await run('incident', 'ack', other.id)).stderr).toContain(`codeblue incident show ${incident.id}`);
  });

  test.each([
    ['an unknown phase', ['phase', 'cleanup'], 2],
    ['an unknown severity', ['severity', 'P9', ...why, '--yes'], 1],
    ['no reason', ['resolve', '--yes'], 2],
    ['no end', ['pause', ...why, '--yes'], 2],
    ['two ends', ['pause', '--for', '1h', '--until', '2026-11-21T13:00:00Z', ...why, '--yes'], 2],
    ['a length that is none', ['pause', '--for', 'soon', ...why, '--yes'], 2],
    ['an end without its zone', ['pause', '--until', '2026-11-21 13:00', ...why, '--yes'], 2],
  ])('with %s is refused', async (_, [verb = '', ...rest], code) => {
    const { run, incident, acts } = await incidentWorld();
    expect((await run('incident', verb, incident.id, ...rest)).exitCode).toBe(code);
    expect(await acts()).toEqual([]);
  });

  test('while incidents are off there is nothing to change', async () => {
    const { incidents, ...operations } = testOperations();
    const { run } = await incidentWorld({ operations: { ...operations, incidents: { ...incidents, mode: 'off' } } });
    expect(await run('incident', 'ack', 'abcd')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('incidents.mode is off') });
  });
});

describe('incident declare', () => {
  const declare = ['incident', 'declare', '--severity', 'P0', '--reason', 'orders of last night are gone', '--yes'] as const;

  test('is triaged like an alarm, and people are told', async () => {
    const { run, ports, says } = await incidentWorld();
    const { stdout, exitCode } = await run(...declare, '--subject', 'billing', '--json');
    expect(exitCode).toBe(0);
    const { outcome, incident } = JSON.parse(stdout);
    expect(incident).toMatchObject({ severity: 1, home: 'us-east-1', troubles: [{ alarm: 'IncidentDeclared', subject: 'billing' }] });
    expect(outcome).toBe('opened');
    expect(ports.executions.started.map(({ name }) => name)).toEqual([`${incident.id}-1`]);
    expect(await says(incident.id)).toContain('alice note: declared: orders of last night are gone');
    expect(JSON.stringify(ports.executions.started)).not.toContain('orders of last night');
  });

  test('about what is open joins it, and what a person declared is over when a person says so', async () => {
    const { run, stored, clock } = await incidentWorld();
    const first = JSON.parse((await run(...declare, '--subject', 'billing', '--json')).stdout);
    clock.advance(60);
    const second = JSON.parse((await run(...declare, '--subject', 'billing', '--json')).stdout);
    expect([second.outcome, second.incident.id]).toEqual(['joined', first.incident.id]);
    const { stdout } = await run('incident', 'resolve', first.incident.id, ...why, '--yes');
    expect(stdout).not.toContain('still ring');
    expect((await stored(first.incident.id)).troubles.every(({ status }) => status === 'resolved')).toBe(true);
  });

  test('about something that the config does not have is refused: it would stand in a page', async () => {
    const { run } = await incidentWorld();
    const { stderr, exitCode } = await run(...declare, '--subject', 'john-doe');
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('It has: hms, billing, us-east-1') });
  });
});
