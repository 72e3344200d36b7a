import { createHash } from 'node:crypto';
import type { OperationsInput } from '../../config/define-operations.ts';
import { hours, minutes, seconds } from '../../functions/common/duration.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { type LabFailoverNumbers, labFailover } from '../failover/policy.ts';
import { labDatabaseId } from '../operations.ts';

/** CloudWatch's minute takes 1.5 s in the lab: its periods are not the config's to shorten. */
export const faster = 40;

/** Waits of minutes in the profiles; short enough to watch here. */
export const waits = { first: seconds(4), second: seconds(4), last: seconds(8) } as const;

/** How often the list is gone through again. */
export const repeats = 2;

/** A query that has run for longer is ended by the automated runbook. */
export const longQuery = seconds(5);

/** Who answers in the lab: the first is on duty, the second is asked next, the third when neither answers. */
export const people = { first: 'alice', second: 'bob', last: 'carol' } as const;

/** Keys of the two doors for other tools. They open nothing but a lab on this machine. */
export const keys = { pagerduty: 'lab-pagerduty-key', alertmanager: 'lab-alertmanager-key' } as const;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Slower than where failover itself is watched: what a busy machine does to itself must not ring. */
const patient: LabFailoverNumbers = {
  lease: { length: seconds(25), margin: seconds(3), renewEvery: seconds(2) },
  observe: { every: seconds(1), timeout: seconds(3), voteMaxAge: seconds(15), failuresToTrip: 3, successesToClear: 2, dwell: seconds(5) },
};

/** The lead would move only after a person agreed, and nobody does here. */
export const observedFailover = (): NonNullable<OperationsInput['failover']> => ({ ...labFailover(patient), mode: 'approve' });

const person = (id: string, number: string): Operations['incidents']['people'][number] => ({
  id,
  name: id,
  urgent: [
    { kind: 'email', address: `${id}@example.org` },
    { kind: 'sms', number },
  ],
  principals: [`lab/${id}`],
});

/** The `incidents` part of the lab's config: three people, three steps, waits of seconds. */
export const labIncidents = (): NonNullable<OperationsInput['incidents']> => ({
  mode: 'on',
  people: [person(people.first, '+15550100001'), person(people.second, '+15550100002'), person(people.last, '+15550100003')],
  schedules: [
    {
      id: 'hospital',
      timeZone: 'America/New_York',
      layers: [{ people: [people.first], from: '2026-01-01', handOver: { everyDays: 7, at: '09:00' } }],
    },
  ],
  policies: [
    {
      id: 'clinical',
      steps: [
        { notify: [{ schedule: 'hospital' }], wait: waits.first },
        { notify: [{ person: people.second }], wait: waits.second },
        { notify: [{ person: people.last }], wait: waits.last },
      ],
      repeats,
      acknowledgements: {},
    },
  ],
  defaultPolicy: 'clinical',
  services: ['api', 'records', 'orders'].map((id) => ({ id, policy: 'clinical' })),
  integrations: [
    { id: 'prometheus', kind: 'alertmanager', keySha256: sha256(keys.alertmanager), service: 'records', alarms: [], perMinute: 12_000 },
    { id: 'vendor', kind: 'pagerduty', keySha256: sha256(keys.pagerduty), service: 'orders', alarms: [], perMinute: 12_000 },
  ],
  groupWithin: seconds(5),
  flapping: { changes: 6, per: minutes(1), quietFor: seconds(10) },
  channels: { perSecond: { email: 9, sms: 9, https: 20, pagerduty: 5, slack: 1 } },
  linkLasts: minutes(10),
  runbooks: [
    {
      id: 'end-runaway-queries',
      alarm: 'ConnectionsHigh',
      action: { kind: 'end-long-queries', database: labDatabaseId, olderThan: longQuery },
      guard: { when: 'anytime', tries: 3, per: hours(1), approval: false },
      helpsWithin: seconds(60),
    },
  ],
});

/** One that the lab can bring about in seconds. */
export const lagAlarm = seconds(3);
