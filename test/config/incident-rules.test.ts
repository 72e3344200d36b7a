import { describe, expect, test } from 'vitest';
import { defineOperations, type OperationsInput } from '../../config/define-operations.ts';
import hms from '../../config/examples/hms.ts';
import { InvalidConfig } from '../../config/invalid-config.ts';
import { hours, minutes, seconds } from '../../functions/common/duration.ts';
import type { IncidentPolicy, Rotation } from '../../functions/common/incident-policy.ts';

const email = (address: string) => ({ kind: 'email' as const, address });
const person = (id: string): IncidentPolicy['people'][number] => ({
  id,
  name: id,
  urgent: [email(`${id}@hospital.example`), { kind: 'sms', number: '+15551234567' }],
  principals: [],
});
const weekly: Rotation = { people: ['ada', 'ben'], from: '2026-01-05', handOver: { everyDays: 7, at: '09:00' } };
const nights: Rotation = { ...weekly, only: [{ days: ['sat', 'sun'], from: '20:00', to: '08:00' }] };

const sound: IncidentPolicy = {
  ...hms.incidents,
  mode: 'on',
  people: [person('ada'), person('ben')],
  schedules: [{ id: 'doctors', timeZone: 'America/New_York', layers: [weekly, nights] }],
  policies: [{ id: 'default', steps: [{ notify: [{ schedule: 'doctors' }], wait: minutes(5) }], repeats: 3, acknowledgements: { '1': 2 } }],
  services: [{ id: 'orders', policy: 'default' }],
};

/** The HMS example with other incidents. */
const written = (change: Partial<IncidentPolicy>): OperationsInput => ({ ...hms, incidents: { ...sound, ...change } });
function problemsOf(config: OperationsInput): InvalidConfig['problems'] {
  try {
    defineOperations(config);
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
  return [];
}
const [schedule] = sound.schedules;
const [policy] = sound.policies;
if (!schedule || !policy) throw new Error('there is one of each');
const layers = (...rotations: Rotation[]) => written({ schedules: [{ ...schedule, layers: rotations }] });
const steps = (change: Partial<(typeof policy)['steps'][number]>) =>
  written({ policies: [{ ...policy, steps: policy.steps.map((step) => ({ ...step, ...change })) }] });
const severity = (change: Partial<IncidentPolicy['severities'][1]>) =>
  written({ severities: { ...sound.severities, 1: { ...sound.severities[1], ...change } } });
const integration: IncidentPolicy['integrations'][number] = {
  id: 'grafana',
  kind: 'pagerduty',
  keySha256: '0'.repeat(64),
  service: 'ordres',
  alarms: [],
  perMinute: 10,
};
const runbook = (action: IncidentPolicy['runbooks'][number]['action']): OperationsInput =>
  written({
    runbooks: [
      {
        id: 'mend',
        alarm: 'ServiceDown',
        action,
        guard: { when: 'anytime', tries: 1, per: hours(1), approval: false },
        helpsWithin: minutes(5),
      },
    ],
  });

test('a sound one is taken', () => {
  expect(problemsOf(written({}))).toEqual([]);
});

describe('incidents are refused', () => {
  test.each<[string, OperationsInput, string]>([
    ['with two people of one id', written({ people: [...sound.people, person('ada')] }), 'incidents.people[2].id'],
    ['with two schedules of one id', written({ schedules: [schedule, schedule] }), 'incidents.schedules[1].id'],
    ['with two policies of one id', written({ policies: [policy, policy] }), 'incidents.policies[1].id'],
    [
      'with a turn of somebody who is not there',
      layers({ ...weekly, people: ['ada', 'bne'] }),
      'incidents.schedules[0].layers[0].people[1]',
    ],
    [
      'with a step for a person who is not there',
      steps({ notify: [{ person: 'eve' }, { schedule: 'doctors' }] }),
      'incidents.policies[0].steps[0].notify[0].person',
    ],
    [
      'with a step for a schedule that is not there',
      steps({ notify: [{ schedule: 'nurses' }, { schedule: 'doctors' }] }),
      'incidents.policies[0].steps[0].notify[0].schedule',
    ],
    ['with a default policy that is not there', written({ defaultPolicy: 'usual' }), 'incidents.defaultPolicy'],
    [
      'with a service of a policy that is not there',
      written({ services: [{ id: 'orders', policy: 'usual' }] }),
      'incidents.services[0].policy',
    ],
    ['with an integration of a service that is not there', written({ integrations: [integration] }), 'incidents.integrations[0].service'],
    [
      'with two integrations of one key',
      written({
        services: [{ id: integration.service, policy: 'default' }],
        integrations: [integration, { ...integration, id: 'another' }],
      }),
      'incidents.integrations[1].keySha256',
    ],
    [
      'with a runbook for a database that is not there',
      runbook({ kind: 'emergency-backup', database: 'lab-results' }),
      'incidents.runbooks[0].action.database',
    ],
    [
      'with a runbook for a capacity that is not there',
      runbook({ kind: 'restart-service', capacity: 'unheard-of' }),
      'incidents.runbooks[0].action.capacity',
    ],
    [
      'with PagerDuty and no key of it',
      written({ people: [person('ada'), { ...person('ben'), calm: [{ kind: 'pagerduty' }] }] }),
      'incidents.channels.pagerdutyRoutingKeySecretArn',
    ],
    [
      'with more people to acknowledge than are told',
      written({ policies: [{ ...policy, acknowledgements: { '2': 3 } }] }),
      "incidents.policies[0].acknowledgements['2']",
    ],
    ['with a step that waits for nothing', steps({ wait: seconds(0) }), 'incidents.policies[0].steps[0].wait'],
    ['to be resolved before anybody answers', severity({ resolveWithin: minutes(1) }), 'incidents.severities[1].resolveWithin'],
    [
      'with acknowledgements that are stale at once',
      severity({ acknowledgementLasts: seconds(0) }),
      'incidents.severities[1].acknowledgementLasts',
    ],
    ['with links that are over at once', written({ linkLasts: seconds(0) }), 'incidents.linkLasts'],
    ['with two rotations that are equal', layers(weekly, weekly), 'incidents.schedules[0].layers[0]'],
    [
      'with restricted rotations that are equal but for their people',
      layers(weekly, nights, { ...nights, people: ['ben'] }),
      'incidents.schedules[0].layers[1]',
    ],
    ['with a rotation that another always hides', layers(nights, weekly), 'incidents.schedules[0].layers[0]'],
  ])('%s', (_, config, path) => {
    expect(problemsOf(config).map((problem) => problem.path)).toEqual([path]);
  });

  test('and told what was meant', () => {
    expect(problemsOf(layers({ ...weekly, people: ['ada', 'bne'] }))[0]?.change).toBe('Did you mean ben?');
  });
});

describe('incidents are taken', () => {
  test.each<[string, OperationsInput]>([
    ['with a rotation that takes over later', layers(weekly, { ...weekly, from: '2027-01-04' })],
    [
      'with one that is restricted to other times',
      layers(weekly, nights, { ...nights, only: [{ days: ['wed'], from: '20:00', to: '08:00' }] }),
    ],
    [
      'with PagerDuty and its key',
      written({
        people: [person('ada'), { ...person('ben'), urgent: [{ kind: 'pagerduty' }] }],
        channels: { ...sound.channels, pagerdutyRoutingKeySecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:pd' },
      }),
    ],
    ['whatever they say while they are off', written({ mode: 'off', defaultPolicy: 'usual' })],
  ])('%s', (_, config) => {
    expect(problemsOf(config)).toEqual([]);
  });
});
