import type { Location, RecoveryPoint, VerificationSummary } from '../backup/models.ts';
import type { RecoveryPoints } from '../backup/ports.ts';
import { Conflict } from '../common/errors.ts';
import type { Timestamp } from '../common/ids.ts';
import type { Proof } from './proof.ts';

/** Races for one line that are tried again; writers of one Region hold it for milliseconds. */
const attempts = 5;

/**
 * Writes the verdict of a proof into the inventory, unless the line has it or a newer one on that location already. Only the active Region
 * does so: the inventory is a global table in which the last writer wins, so two Regions must never write one line. Verdicts that
 * were given elsewhere are adopted from their proofs by `advance-recovery-points`.
 *
 * @returns whether the line was changed @throws Conflict after losing five races
 */
export async function adoptVerdict(proof: Proof, recoveryPoints: RecoveryPoints): Promise<boolean> {
  const { target, region, finishedAt } = proof;
  if (target.kind !== 'recovery-point') return false;
  for (let attempt = 1; ; attempt++) {
    const point = await recoveryPoints.get(target.recoveryPointId);
    const location = point?.locations.find((each) => each.region === region && each.snapshotId === target.snapshotId);
    if (!point || !location) return false; // expired meanwhile: the proof stands by itself
    if (location.verdict && location.verdict.at >= finishedAt) return false;
    try {
      await recoveryPoints.update(withVerdict(point, proof, target.snapshotId, finishedAt));
      return true;
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === attempts) throw error;
    }
  }
}

/**
 * The inventory line after a verdict. What must be true of it:
 * - each location carries the newest verdict on itself, in whatever order verdicts arrive;
 * - the point is verified exactly while some available location is. A refusal of one location (a damaged copy) does not unverify
 *   the point while another one stands; where no available location was judged, the newest verdict on any of them counts;
 * - a refused copy is marked failed while another location stands, so that it is neither used nor counted, and a new one is made.
 *   A refused home snapshot is kept, because a refusal can have other causes than damage, but it is not copied any more;
 * - the content root is fixed by the first verified restore. A restore that "verified" other content is a refusal.
 */
export function withVerdict(point: RecoveryPoint, proof: Proof, snapshotId: string, at: Timestamp): RecoveryPoint {
  const outcome = proof.outcome === 'verified' && !contradicts(point, proof.contentRoot) ? 'verified' : 'refused';
  const verdict = { verificationId: proof.verificationId, outcome, at } as const;
  const judged = point.locations.map((location) => {
    const here = location.region === proof.region && location.snapshotId === snapshotId;
    return here && !(location.verdict && location.verdict.at > at) ? withOwnVerdict(location, verdict) : location;
  });
  const stands = judged.some(isStanding);
  const locations = judged.map((location) =>
    stands && location.role === 'copy' && location.status === 'available' && location.verdict?.outcome === 'refused'
      ? ({ ...location, status: 'failed' } as const)
      : location,
  );
  const root = point.contentRoot ?? (outcome === 'verified' ? proof.contentRoot : undefined);
  const verification = verdictOnPoint(locations);
  return { ...point, locations, ...(verification ? { verification } : {}), ...(root ? { contentRoot: root } : {}) };
}

/** Whether a restore showed other content than the first verified one of the same backup. */
export const contradicts = (point: RecoveryPoint | undefined, root: string | undefined): boolean =>
  point?.contentRoot !== undefined && point.contentRoot !== root;

function withOwnVerdict({ verifiedAt: _, ...location }: Location, verdict: VerificationSummary): Location {
  return { ...location, verdict, ...(verdict.outcome === 'verified' ? { verifiedAt: verdict.at } : {}) };
}

const isStanding = ({ status, verdict }: Location): boolean => status === 'available' && verdict?.outcome === 'verified';

function verdictOnPoint(locations: readonly Location[]): VerificationSummary | undefined {
  const newestOf = (among: readonly Location[]) =>
    among.flatMap(({ verdict }) => (verdict ? [verdict] : [])).sort((a, b) => b.at.localeCompare(a.at))[0];
  return (
    newestOf(locations.filter(isStanding)) ?? newestOf(locations.filter(({ status }) => status === 'available')) ?? newestOf(locations)
  );
}
