import { describe, expect, test } from 'vitest';
import { defineOperations, type OperationsInput } from '../../config/define-operations.ts';
import hms from '../../config/examples/hms.ts';
import { InvalidConfig } from '../../config/invalid-config.ts';
import { hours, minutes, seconds } from '../../functions/common/duration.ts';
import { daily, monthly, quarterly } from '../../functions/common/schedule.ts';

const [hmsDatabase] = hms.databases;
if (!hmsDatabase) throw new Error('the example has a database');

/** Runbooks act on what failover names, and ask those who may approve: their rules have tests of their own. */
const incidents = { ...hms.incidents, runbooks: [] };

/** The HMS example as somebody would write it, with another failover. */
const written = (failover: OperationsInput['failover'] = {}, change: Partial<OperationsInput> = {}): OperationsInput => ({
  ...hms,
  failover: { ...hms.failover, ...failover },
  ...change,
});
function problemsOf(config: OperationsInput): InvalidConfig['problems'] {
  try {
    defineOperations(config);
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
  return [];
}
const paths = (config: OperationsInput) => problemsOf(config).map(({ path }) => path);
const { approvals, lease, observe, services, triggers, routing } = hms.failover;
const [service] = services;
const { dns } = routing;
if (!service || !dns) throw new Error('the example has a service and a record');

describe('failover is refused', () => {
  test.each<[string, OperationsInput, string]>([
    ['with a witness that stores the data', written({ witness: 'us-west-2' }), 'failover.witness'],
    ['with a witness of another Region set', written({ witness: 'eu-west-1' }), 'failover.witness'],
    ['with a lease of three renewals', written({ lease: { ...lease, length: seconds(9) } }), 'failover.lease.length'],
    ['without a margin', written({ lease: { ...lease, margin: seconds(0) } }), 'failover.lease.margin'],
    ['with a margin below the probe’s limit', written({ lease: { ...lease, margin: seconds(1) } }), 'failover.lease.margin'],
    ['with renewals without a pause', written({ lease: { ...lease, renewEvery: seconds(0) } }), 'failover.lease.renewEvery'],
    ['with looks without a pause', written({ observe: { ...observe, every: seconds(0) } }), 'failover.observe.every'],
    ['with probes that get no time', written({ observe: { ...observe, timeout: seconds(0) } }), 'failover.observe.timeout'],
    [
      'with votes that expire between two looks',
      written({ observe: { ...observe, voteMaxAge: seconds(10) } }),
      'failover.observe.voteMaxAge',
    ],
    ['with a dwell below a look', written({ observe: { ...observe, dwell: seconds(4) } }), 'failover.observe.dwell'],
    ['with nobody to approve', written({ approvals: { ...hms.failover.approvals, by: [] } }), 'failover.approvals.by'],
    [
      'with nobody to approve when it moves by itself',
      written({ mode: 'automatic', approvals: { ...hms.failover.approvals, by: [] } }),
      'failover.approvals.by',
    ],
    [
      'with questions that outlast an execution',
      written({ approvals: { ...approvals, expireAfter: minutes(61) } }),
      'failover.approvals.expireAfter',
    ],
    [
      'with questions that nobody can answer',
      written({ approvals: { ...approvals, expireAfter: seconds(0) } }),
      'failover.approvals.expireAfter',
    ],
    [
      'with a trigger that cannot fire',
      written({ triggers: { ...triggers, criticalServicesUnhealthy: 5 } }),
      'failover.triggers.criticalServicesUnhealthy',
    ],
    ['with one service twice', written({ services: [...services, service] }), 'failover.services[5].name'],
    [
      'with a service in a foreign Region',
      written({ services: [{ ...service, health: { ...service.health, 'eu-north-1': 'https://a.example' } }] }),
      "failover.services[0].health['eu-north-1']",
    ],
    [
      'with a critical service that nobody can look at in the standby Region',
      written({
        services: [{ ...service, health: { 'us-east-1': 'https://a.example' } }],
        triggers: { ...triggers, criticalServicesUnhealthy: 1 },
      }),
      "failover.services[0].health['us-west-2']",
    ],
    [
      'with traffic that has nowhere to go',
      written({ routing: { dns: { ...dns, targets: { 'us-east-1': { dnsName: 'a', hostedZoneId: 'Z1' } } } } }),
      "failover.routing.dns.targets['us-west-2']",
    ],
    [
      'with a drill outside the windows',
      written({ drills: { ...hms.failover.drills, rehearsal: monthly(2, 'sat', '06:00') } }),
      'failover.drills.rehearsal',
    ],
    [
      'with a drill at the end of a window',
      written({ drills: { ...hms.failover.drills, fullTest: quarterly(3, 'sat', '05:30') } }),
      'failover.drills.fullTest',
    ],
  ])('%s', (_, config, path) => {
    expect(paths(config)).toContain(path);
    expect(paths(written())).toEqual([]);
  });

  test('with a database that has no replica, naming it', () => {
    const { replica: _, ...alone } = hmsDatabase;
    const config = written({}, { databases: [hmsDatabase, { ...alone, id: 'archive', objectives: { regionLossRpo: hours(48) } }] });
    expect(problemsOf(config)).toMatchObject([
      { path: 'databases[1].replica', wanted: expect.stringContaining('failover moves all databases or none') },
    ]);
  });

  test('with Regions that cannot share a record, naming those that can', () => {
    const [problem] = problemsOf(
      written({ witness: 'us-east-2' }, { regions: { ...hms.regions, standby: 'eu-west-1', tertiary: 'us-west-2' } }),
    ).filter(({ path }) => path === 'failover.witness');
    expect(problem?.wanted).toContain('us-east-1, us-east-2, us-west-2 · eu-west-1, eu-west-2, eu-west-3, eu-central-1');
    expect(problem?.change).toContain("mode: 'off'");
  });

  test('with the arithmetic where times do not fit', () => {
    const [lengthProblem] = problemsOf(written({ lease: { ...lease, length: seconds(9) } }));
    expect(lengthProblem).toMatchObject({ got: '"9 s"', wanted: 'more than three renewals: 3 x 3 s (lease.renewEvery) = 9 s' });
    const [drillProblem] = problemsOf(written({ drills: { ...hms.failover.drills, rehearsal: monthly(2, 'sat', '05:30') } }));
    expect(drillProblem?.wanted).toContain('"Saturday night" (Saturday 02:00) opened 3 h 30 min before and lasts 4 h, so 30 min are left');
  });
});

describe('failover that is off', () => {
  test('has no rules', () => {
    const nothing = { mode: 'off' as const, witness: 'us-west-2', approvals: { by: [], expireAfter: minutes(1) } };
    const drills = { rehearsal: daily('12:00'), fullTest: daily('12:00') };
    expect(paths(written({ ...nothing, drills }, { incidents }))).toEqual([]);
  });

  test('is the default where a database has no replica in the standby Region, and not otherwise', () => {
    const { failover: _, ...rest } = hms;
    const { replica: __, ...alone } = hmsDatabase;
    const without = defineOperations({ ...rest, incidents, databases: [{ ...alone, objectives: { regionLossRpo: hours(48) } }] });
    expect(without.failover.mode).toBe('off');
    const approvals = { by: ['alice'] };
    expect(defineOperations({ ...rest, incidents, failover: { approvals } }).failover.mode).toBe('approve');
  });
});

describe('what is left out', () => {
  test('the witness is one of the Region set that has both others', () => {
    const { failover: _, ...rest } = hms;
    const approvals = { by: ['alice'] };
    expect(defineOperations({ ...rest, incidents, failover: { approvals } }).failover.witness).toBe('us-east-2');
    const site = hmsDatabase.sites[hms.regions.primary];
    if (!site) throw new Error('the example has a site');
    const european = { primary: 'eu-central-1', standby: 'eu-west-1', tertiary: 'us-east-1' };
    const siteIn = (region: string) => ({
      identifier: 'orders',
      secretArn: site.secretArn.replace('us-east-1', region),
      network: { ...site.network, availabilityZones: [`${region}a`, `${region}b`] },
    });
    const databases = [
      {
        id: 'orders',
        engine: 'rds-postgres' as const,
        sites: { 'eu-central-1': siteIn('eu-central-1'), 'eu-west-1': siteIn('eu-west-1') },
        replica: { region: 'eu-west-1' },
      },
    ];
    const base = { name: 'hms', profile: 'hms' as const, account: hms.account, contacts: hms.contacts };
    expect(defineOperations({ ...base, regions: european, databases, failover: { approvals } }).failover.witness).toBe('eu-west-2');
  });
});
