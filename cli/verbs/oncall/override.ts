import { audited } from '../../../functions/audit/audited.ts';
import { NotFound } from '../../../functions/common/errors.ts';
import type { Override } from '../../../functions/incidents/models.ts';
import { endedOverride, overrideFor } from '../../../functions/incidents/on-call/request-override.ts';
import type { Session } from '../../session.ts';

export const overridePorts = ['auditLog', 'incidents'] as const;
type OverrideSession = Session<(typeof overridePorts)[number]>;

/** @throws InvalidInput */
export const planOverride = (
  { operations, clock }: OverrideSession,
  wanted: { readonly schedule: string; readonly person: string; readonly from?: Date; readonly until: Date },
  by: string,
): Override => overrideFor(operations.incidents, { from: clock.now(), ...wanted, by, now: clock.now() });

/** @throws NotFound, InvalidInput when it has ended already */
export async function planEndOfOverride({ ports, clock }: OverrideSession, overrideId: string): Promise<Override> {
  const found = (await ports.incidents.overrides()).find((override) => override.overrideId === overrideId);
  if (!found) throw new NotFound(`there is no override ${overrideId}`, { hint: 'codeblue oncall show lists them.' });
  return endedOverride(found, clock.now());
}

export async function putOverride(
  { ports, clock, region }: OverrideSession,
  override: Override,
  action: 'override-on-call' | 'end-override',
  principal: string,
): Promise<Override> {
  const { overrideId, schedule, person, from, until } = override;
  const act = { actor: `cli/${principal}`.slice(0, 200), action, resource: overrideId, details: { schedule, person, from, until } };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.incidents.putOverride(override));
  return override;
}

export const renderOverride = ({ overrideId, person, schedule, from, until }: Override): string =>
  `${overrideId}: ${person} is on duty for ${schedule} from ${from} until ${until}.`;
