import { hours, minutes } from '../../functions/common/duration.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { labOperations } from '../../lab/operations.ts';

/** Services that may be in trouble, one incident each, and those whose alarms make most of a storm. */
export const serviceName = (number: number): string => `service-${number}`;
export const noisyName = (number: number): string => `noisy-${number}`;
const services = 400;
export const noisy = 20;

const names = (count: number, name: (number: number) => string) => Array.from({ length: count }, (_, index) => name(index));

/** The HMS profile with the deployed waits and rates; two people, told by PagerDuty first. */
export const benchOperations = (): Operations =>
  labOperations(
    'hms',
    [],
    undefined,
    {},
    { mode: 'off' },
    {
      mode: 'on',
      people: ['alice', 'bob'].map((id) => ({
        id,
        name: id,
        urgent: [{ kind: 'pagerduty' as const }, { kind: 'email' as const, address: `${id}@example.org` }],
        principals: [],
      })),
      schedules: [
        {
          id: 'hospital',
          timeZone: 'America/New_York',
          layers: [{ people: ['alice'], from: '2026-01-01', handOver: { everyDays: 7, at: '09:00' } }],
        },
      ],
      policies: [
        {
          id: 'default',
          steps: [
            { notify: [{ schedule: 'hospital' }], wait: minutes(5) },
            { notify: [{ person: 'bob' }], wait: minutes(10) },
          ],
          repeats: 3,
          acknowledgements: {},
        },
      ],
      defaultPolicy: 'default',
      services: [...names(services, serviceName), ...names(noisy, noisyName)].map((id) => ({ id, policy: 'default' })),
      channels: { pagerdutyRoutingKeySecretArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:bench' },
      flapping: { changes: 6, per: minutes(30), quietFor: minutes(15) },
      linkLasts: hours(1),
    },
  );
