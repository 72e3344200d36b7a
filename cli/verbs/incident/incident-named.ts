import { before, days } from '../../../functions/common/duration.ts';
import { InvalidInput, NotFound } from '../../../functions/common/errors.ts';
import type { Operations } from '../../../functions/common/operations.ts';
import { type Incident, IncidentId } from '../../../functions/incidents/models.ts';
import type { Session } from '../../session.ts';

/** Where a part of an id is looked for; older ones are named in full. */
const lookBack = days(90);
const most = 10_000;

/**
 * The incident of that id, or the only one whose id ends so: the last digits are enough at 3 a.m.
 *
 * @throws NotFound, InvalidInput when several end so
 */
export async function incidentNamed({ ports, clock }: Session<'incidents'>, name: string): Promise<Incident> {
  const list = 'codeblue incident list --all shows them.';
  const id = IncidentId.safeParse(name);
  if (id.success) {
    const found = await ports.incidents.get(id.data);
    if (found) return found;
    throw new NotFound(`there is no incident ${name}`, { hint: list });
  }
  if (!/^[0-9a-f]{4,10}$/.test(name)) {
    throw new InvalidInput(`"${name}" names no incident`, { hint: `Give its id, or the last four digits of it or more. ${list}` });
  }
  const recent = await ports.incidents.recent(before(clock.now(), lookBack), most);
  const fitting = recent.filter((incident) => incident.id.endsWith(name));
  const [found] = fitting;
  if (!found) throw new NotFound(`no incident of the last 90 days ends in ${name}`, { hint: list });
  if (fitting.length > 1) throw new InvalidInput(`${fitting.length} incidents end in ${name}`, { hint: 'Give the whole id.' });
  return found;
}

/** @throws InvalidInput where the deployment has nobody to tell */
export function assertIncidentsAreOn({ incidents }: Pick<Operations, 'incidents'>): void {
  if (incidents.mode === 'on') return;
  throw new InvalidInput('incidents.mode is off: alarms go to the on-call address by mail, and there are no incidents', {
    hint: "Set incidents.mode to 'on' and deploy.",
  });
}
