import type { Clock } from '../../common/clock.ts';
import { Conflict, InvalidInput, NotFound } from '../../common/errors.ts';
import type { Incident, IncidentId } from '../models.ts';
import type { Incidents } from '../ports.ts';
import type { Transition } from './transition.ts';

/** A change that was made, or was there already. */
export interface Changed {
  readonly before: Incident;
  readonly incident: Incident;
  readonly changed: boolean;
  readonly says: string;
}

const tries = 8;
/** A replica shows what another Region wrote after about a second. */
const betweenTries = 400;

/**
 * Reads the incident, decides, and writes it in its home; decides again when somebody else was faster. The timeline follows the incident, so that it never tells of a
 * change that was not made; cut off in between it lacks a line, and the audit log has the act.
 *
 * @throws InvalidInput with the reason and hint of a refusal, NotFound, Conflict when others were faster again and again, ServiceUnavailable
 */
export async function changeStored(
  id: IncidentId,
  decide: (incident: Incident, now: Date) => Transition,
  { incidents, clock }: { readonly incidents: Incidents; readonly clock: Clock },
): Promise<Changed> {
  for (let attempt = 1; ; attempt++) {
    const before = await incidents.get(id);
    if (!before) throw new NotFound(`there is no incident ${id}`, { hint: 'codeblue incident list shows them.' });
    const transition = decide(before, clock.now());
    if (transition.kind === 'refused') throw new InvalidInput(transition.because, { hint: transition.hint });
    const { says } = transition;
    if (transition.kind === 'unchanged') return { before, incident: before, changed: false, says };
    try {
      const incident = await incidents.update(transition.incident);
      await incidents.append(id, transition.entries);
      return { before, incident, changed: true, says };
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === tries) throw error;
      await clock.sleep(betweenTries);
    }
  }
}
