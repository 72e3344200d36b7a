import { audited } from '../../../functions/audit/audited.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { changeStored } from '../../../functions/incidents/incident/change-stored.ts';
import { chase } from '../../../functions/incidents/incident/chase.ts';
import { type Merge, merge } from '../../../functions/incidents/incident/merge.ts';
import type { Wanted } from '../../../functions/incidents/incident/transition.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import type { actorOf, ChangeSession } from './change.ts';

/** What would come of it. @throws InvalidInput with the reason of a refusal */
export function planMerge(
  { operations }: Pick<ChangeSession, 'operations'>,
  from: Incident,
  into: Incident,
  wanted: Wanted,
): Extract<Merge, { kind: 'done' }> {
  const merged = merge(from, into, wanted, operations.incidents);
  if (merged.kind === 'refused') throw new InvalidInput(merged.because, { hint: merged.hint });
  return merged;
}

/** The one that goes on first: cut off in between, both are open, and the merge can be done again. */
export async function mergeStored(session: ChangeSession, from: Incident, into: Incident, { principal, by }: ReturnType<typeof actorOf>) {
  const { ports, clock, region } = session;
  const act = { actor: `cli/${principal}`.slice(0, 200), action: 'merge-incident', resource: from.id, details: { into: into.id, as: by } };
  return audited({ auditLog: ports.auditLog, clock, region }, act, async () => {
    const goesOn = await changeStored(into.id, (stored, now) => planMerge(session, from, stored, { by, now }).into, storedIn(session));
    await chase(goesOn.incident, ports.executions);
    const ended = await changeStored(
      from.id,
      (stored, now) => planMerge(session, stored, goesOn.incident, { by, now }).from,
      storedIn(session),
    );
    return { into: goesOn.incident, from: ended.incident, says: `${ended.says}. ${goesOn.says}` };
  });
}

const storedIn = ({ ports, clock }: ChangeSession) => ({ incidents: ports.incidents, clock });
