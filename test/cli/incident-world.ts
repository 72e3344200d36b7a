import type { Operations } from '../../functions/common/operations.ts';
import { Incident } from '../../functions/incidents/models.ts';
import { policy } from '../incidents/incident/support.ts';
import { cliWorld } from '../support/cli.ts';
import { anIncident } from '../support/incidents.ts';
import { testOperations } from '../support/operations.ts';

const defaults = testOperations();
const operations: Operations = { ...defaults, incidents: { ...policy, mode: 'on', regulations: ['hipaa', 'gdpr'] } };

/** A command line with incidents, run by alice unless `as` says otherwise; it is 12:00, and an incident of orders was opened ten minutes ago. */
export async function incidentWorld(given: { readonly operations?: Operations; readonly isTTY?: boolean } = {}) {
  const who = { name: 'lab/alice' };
  const world = cliWorld({ operations, ...given, host: { principal: async () => who.name } });
  const { ports } = world;
  async function open(change: Parameters<typeof anIncident>[0] = {}): Promise<Incident> {
    const incident = anIncident({ openedAt: '2026-11-21T11:50:00Z', ...change });
    await ports.incidents.create(incident, undefined);
    return incident;
  }
  const incident = await open();
  return {
    ...world,
    incident,
    open,
    as: (name: string, ...argv: string[]) => {
      who.name = name;
      return world.run(...argv);
    },
    stored: async (id = incident.id) => Incident.parse(await ports.incidents.get(id)),
    says: async (id = incident.id) => (await ports.incidents.timeline(id)).map(({ by, kind, says }) => `${by} ${kind}: ${says}`),
    acts: async () =>
      (await ports.auditLog.recent(new Date(0), 100)).map(({ action, phase, outcome }) => `${action} ${phase} ${outcome}`).sort(),
  };
}
