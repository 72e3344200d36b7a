import { audited } from '../../../functions/audit/audited.ts';
import { InvalidInput, messageOf } from '../../../functions/common/errors.ts';
import type { DatabaseId, Region } from '../../../functions/common/ids.ts';
import { candidateRegions } from '../../../functions/failover/leadership/candidates.ts';
import type { Containment, Hold } from '../../../functions/failover/models.ts';
import type { Session } from '../../session.ts';

export const releasePorts = ['auditLog', 'coordination', 'networkFence'] as const;
type ReleaseSession = Session<(typeof releasePorts)[number]>;

/** What would be opened. Nothing here has been done. */
export interface PlannedRelease {
  readonly containment: Containment;
  /** The hold of the containment; undefined when another one stands, or none. */
  readonly hold?: Hold;
  readonly networks: readonly { readonly region: Region; readonly databaseId: DatabaseId }[];
}

/** @throws InvalidInput when nothing is contained */
export async function planRelease({ ports, operations }: ReleaseSession): Promise<PlannedRelease> {
  const containment = await ports.coordination.containment();
  if (!containment) throw new InvalidInput('no breach is being contained', { hint: 'codeblue failover status' });
  const hold = await ports.coordination.hold();
  return {
    ...{ containment, ...(hold?.by === containment.breachId ? { hold } : {}) },
    networks: candidateRegions(operations).flatMap((region) => operations.databases.map(({ id }) => ({ region, databaseId: id }))),
  };
}

export const renderPlannedRelease = ({ containment, hold, networks }: PlannedRelease): string =>
  [
    `Release of ${containment.breachId}, contained since ${containment.since} for ${containment.by}`,
    '',
    'What happens',
    `  1. the application's rules come back into the security groups of ${networks.map(({ region, databaseId }) => `${databaseId} in ${region}`).join(', ')}`,
    hold ? `  2. the hold ends, and what the observers decide happens again` : '  2. no hold of it stands, and no other is touched',
    '',
    'Before you do it: new credentials for everything that the application uses. Evidence stays where it is.',
  ].join('\n');

export interface Release {
  readonly containment: Containment;
  readonly opened: readonly { readonly region: Region; readonly databaseId: DatabaseId; readonly rules: number }[];
  /** Those that could not be opened; the containment stands, and this can be done again. */
  readonly stillShut: readonly { readonly region: Region; readonly databaseId: DatabaseId; readonly says: string }[];
}

/**
 * The networks first and the containment last: whatever fails in between can be done again. The containment ends only when everything is open, or a machine that is
 * still at work would take it for done.
 */
export async function releaseContainment(session: ReleaseSession, operator: string): Promise<Release> {
  const { ports, clock, region: here } = session;
  const { containment, hold, networks } = await planRelease(session);
  const { breachId } = containment;
  const acting = <T>(action: string, resource: string, perform: () => Promise<T>): Promise<T> =>
    audited(
      { auditLog: ports.auditLog, clock, region: here },
      { actor: `cli/${operator}`, action, resource, details: { breachId } },
      perform,
    );
  const opened: Release['opened'][number][] = [];
  const stillShut: Release['stillShut'][number][] = [];
  for (const { region, databaseId } of networks) {
    try {
      const rules = await acting('restore-network', `${region}/${databaseId}`, () => ports.networkFence.restore(databaseId, region));
      opened.push({ region, databaseId, rules });
    } catch (error) {
      stillShut.push({ region, databaseId, says: messageOf(error) });
    }
  }
  if (stillShut.length === 0) {
    await acting('release-breach', breachId, async () => {
      if (hold) await ports.coordination.putHold(undefined);
      await ports.coordination.putContainment(undefined);
    });
  }
  return { containment, opened, stillShut };
}

export const renderRelease = ({ containment, opened, stillShut }: Release): string =>
  [
    ...opened.map(
      ({ region, databaseId, rules }) => `${databaseId} in ${region}: ${rules === 1 ? '1 rule is' : `${rules} rules are`} back`,
    ),
    ...stillShut.map(({ region, databaseId, says }) => `${databaseId} in ${region} is still shut: ${says}`),
    stillShut.length === 0
      ? `${containment.breachId} is released. Its evidence stays.`
      : `${containment.breachId} stands until everything is open. Try again: codeblue contain --release`,
  ].join('\n');
