import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { Region } from '../../../functions/common/ids.ts';
import type { Severity } from '../../../functions/common/incident-policy.ts';
import { alarmNameOf } from '../../../functions/incidents/alarms/alarm-name.ts';
import { signalOfCloudWatch } from '../../../functions/incidents/ingest/cloudwatch-event.ts';
import { AlarmName, Subject } from '../../../functions/incidents/models.ts';
import { doorsWorld, operationsWithDoors } from '../../support/doors.ts';
import { aSignal } from '../../support/incidents.ts';

const operations = operationsWithDoors();
const receivedAt = new Date('2026-11-21T12:00:00Z');

const nameOf = (alarm: string, subject: string, severity: Severity, deployment = operations.name) =>
  alarmNameOf({ deployment, alarm: AlarmName.parse(alarm), subject: Subject.parse(subject), severity });

/** As EventBridge tells of it. */
const stateChange = (given: { readonly name?: string; readonly value?: string; readonly at?: string; readonly region?: string } = {}) => {
  const { name = nameOf('ReplicaLagging', 'hms', 2), value = 'ALARM', at = '2026-11-21T11:59:40.985+0000', region = 'us-east-1' } = given;
  return {
    version: '0',
    id: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account: '111122223333',
    time: '2026-11-21T11:59:41Z',
    region,
    resources: [`arn:aws:cloudwatch:${region}:111122223333:alarm:${name}`],
    detail: {
      alarmName: name,
      configuration: { metrics: [] },
      previousState: { value: 'OK', timestamp: '2026-11-21T11:00:00.000+0000' },
      state: { value, timestamp: at, reason: 'Threshold Crossed: 1 datapoint was greater than the threshold.', reasonData: '{}' },
    },
  };
};

describe('a change of an alarm', () => {
  const read = (event: unknown, missingData?: 'breaching' | 'notBreaching' | 'ignore' | 'missing') =>
    signalOfCloudWatch(event, { operations, receivedAt }, (_, region) => (missingData ? { missingData, region } : undefined));

  it.each([
    ['ALARM', 'trigger'],
    ['OK', 'resolve'],
  ] as const)('to %s is a %s, as of the time of CloudWatch', (value, action) => {
    expect(read(stateChange({ value }), 'ignore')).toMatchObject({
      ...{ action, source: 'cloudwatch', alarm: 'ReplicaLagging', subject: 'hms', region: 'us-east-1', severity: 2 },
      ...{ at: '2026-11-21T11:59:40.985Z', receivedAt: '2026-11-21T12:00:00.000Z' },
    });
  });

  it.each([
    ['breaching', 'trigger'],
    ['notBreaching', 'resolve'],
    ['ignore', undefined],
    ['missing', undefined],
    [undefined, undefined],
  ] as const)('to INSUFFICIENT_DATA under %s is %s', (rule, action) => {
    expect(read(stateChange({ value: 'INSUFFICIENT_DATA' }), rule)?.action).toBe(action);
  });

  it('is the same signal however often it is delivered, and the same trouble whatever it changes to', () => {
    const [first, again, well] = [read(stateChange()), read({ ...stateChange(), id: 'another' }), read(stateChange({ value: 'OK' }))];
    expect(again?.signalId).toBe(first?.signalId);
    expect(well?.signalId).not.toBe(first?.signalId);
    expect(well?.dedupKey).toBe(first?.dedupKey);
    expect(read(stateChange({ region: 'us-west-2' }))?.dedupKey).not.toBe(first?.dedupKey);
  });

  it('of a lost Region is the same trouble in every Region that hears of it, and a signal of each', () => {
    const lost = () => ({ missingData: 'notBreaching', region: Region.parse('us-east-1') }) as const;
    const heardIn = (region: string) =>
      signalOfCloudWatch(stateChange({ name: nameOf('RegionDown', 'us-east-1', 1), region }), { operations, receivedAt }, lost);
    const [one, other] = [heardIn('us-west-2'), heardIn('eu-west-1')];
    expect([one?.region, one?.dedupKey]).toEqual(['us-east-1', other?.dedupKey]);
    expect(one?.signalId).not.toBe(other?.signalId);
  });

  it('of an alarm that somebody made by hand is about what the config knows', () => {
    expect(read(stateChange({ name: nameOf('ReplicaLagging', 'john-doe', 2) }))?.subject).toBe('us-east-1');
    expect(read(stateChange({ name: nameOf('ReplicaLagging', 'orders', 2) }))?.subject).toBe('orders');
  });

  it.each([
    ['another deployment', stateChange({ name: nameOf('ReplicaLagging', 'hms', 2, 'other') })],
    ['somebody else', stateChange({ name: 'ServerCpuTooHigh' })],
    ['no time', stateChange({ at: 'yesterday' })],
    ['no state', { ...stateChange(), detail: {} }],
  ])('of %s is refused', (_, event) => {
    expect(() => read(event)).toThrow(/must be|none of this deployment/);
  });
});

describe('messages of the queues', () => {
  const announced = (detail: object, id = 'e-1') => ({
    ...{ version: '0', id, 'detail-type': 'Codeblue Signal', source: 'codeblue', account: '111122223333' },
    ...{ time: '2026-11-21T11:59:41Z', region: 'us-east-1', resources: [], detail },
  });

  it('of EventBridge open and resolve incidents, in whatever order they come', async () => {
    const world = doorsWorld();
    const put = (event: unknown) => world.ports.signalQueue.put('signals', JSON.stringify(event));
    put(stateChange({ value: 'OK', at: '2026-11-21T11:59:59.000+0000' }));
    await world.triage();
    put(stateChange({ at: '2026-11-21T11:59:00.000+0000' }));
    await world.triage();
    expect(await world.ports.incidents.open()).toEqual([]); // it was well again before this was heard
    put(stateChange({ at: '2026-11-21T12:00:30.000+0000' }));
    await world.triage();
    expect(await world.ports.incidents.open()).toMatchObject([{ troubles: [{ alarm: 'ReplicaLagging', subject: 'hms' }] }]);
    expect(world.ports.executions.started).toHaveLength(1);
  });

  it('that Codeblue or the hospital announces are signals: what it is about by the config, else the Region', async () => {
    const world = doorsWorld();
    const put = (detail: object, id: string) => world.ports.signalQueue.put('signals', JSON.stringify(announced(detail, id)));
    put({ alarm: 'NightlyJobFailed', subject: 'billing', severity: 3, at: '2026-11-21T12:59:00+01:00', note: 'exit code 1' }, 'e-1');
    await world.triage();
    const [incident] = await world.ports.incidents.open();
    expect(incident?.troubles).toMatchObject([
      { alarm: 'NightlyJobFailed', subject: 'billing', severity: 3, firstAt: '2026-11-21T11:59:00.000Z' },
    ]);
    world.clock.advance(3600);
    put({ alarm: 'NightlyJobFailed', subject: 'John Doe', severity: 3, at: '2026-11-21T13:00:00Z' }, 'e-2');
    await world.triage();
    expect((await world.ports.incidents.open()).flatMap(({ troubles }) => troubles.map(({ subject }) => subject)).sort()).toEqual([
      'billing',
      'us-east-1',
    ]);
  });

  it('that cannot be read are tried again and given up, and hold back none of the others', async () => {
    const world = doorsWorld();
    const { signalQueue, incidents } = world.ports;
    for (const body of ['{', '{}', JSON.stringify(announced({})), JSON.stringify({ 'detail-type': 'x', source: 'y' })])
      signalQueue.put('signals', body);
    await signalQueue.send([aSignal({ at: '2026-11-21T11:59:00Z' })]);
    await world.triage();
    expect(await incidents.open()).toHaveLength(1);
    for (let i = 0; i < 6; i++) {
      world.clock.advance(60);
      await world.triage();
    }
    expect(signalQueue.deadLetters('signals')).toHaveLength(4);
    expect(signalQueue.depth('signals')).toBe(0);
  });

  it('are delivered again when the table does not answer, and none is lost', async () => {
    const world = doorsWorld();
    const signals = Array.from({ length: 5 }, (_, index) =>
      aSignal({ subject: ['orders', 'patients'][index % 2] ?? '', alarm: `Alarm${index}` }),
    );
    await world.ports.signalQueue.send(signals);
    world.ports.incidents.failNext('record', new ServiceUnavailable('throttled'));
    await world.triage();
    expect(world.ports.signalQueue.depth('signals')).toBe(5);
    world.clock.advance(60);
    await world.triage();
    expect(world.ports.signalQueue.depth('signals')).toBe(0);
    for (const { signalId } of signals) expect(await world.ports.incidents.triageOf(signalId)).toBeDefined();
  });

  it('of which one alone fails for good take no other along', async () => {
    const world = doorsWorld();
    const { incidents, signalQueue } = world.ports;
    await signalQueue.send([aSignal({ subject: 'orders' }), aSignal({ subject: 'patients' })]);
    // The batch fails as a whole, then the first one alone: as a signal that some rule cannot take would.
    incidents.failNext('triageOf', new TypeError('poison'));
    incidents.failNext('triageOf', new TypeError('poison'));
    incidents.failNext('triageOf', new TypeError('poison'));
    await world.triage();
    expect(signalQueue.depth('signals')).toBe(1);
    expect((await incidents.open()).map(({ troubles }) => troubles[0]?.subject)).toEqual(['patients']);
  });
});
