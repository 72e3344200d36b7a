import { formatSeconds, secondsBetween } from '../common/duration.ts';
import { InvalidInput } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import type { Database } from '../common/operations.ts';
import type { LiveDatabase, Location, RecoveryPoint } from './models.ts';

/** What is to be brought back: the newest state there is, the state at a time, or one backup. */
export type RestoreGoal =
  | { readonly kind: 'newest' }
  | { readonly kind: 'time'; readonly time: Date }
  | { readonly kind: 'point'; readonly recoveryPointId: string };

/** What a restore would do. Nothing here has been done. */
export interface RestorePlan {
  readonly databaseId: string;
  readonly method: 'transaction-log' | 'recovery-point';
  readonly region: Region;
  /** The instant that the restored database would show. */
  readonly restoresTo: string;
  readonly recoveryPointId?: string;
  readonly snapshotId?: string;
  readonly verification: 'verified' | 'refused' | 'pending' | 'not-applicable';
  /** Seconds between the instant asked for (now, for the newest state) and the instant restored. */
  readonly expectedLossSeconds: number;
  readonly objectiveSeconds: number;
  readonly steps: readonly string[];
  /** What speaks against it. */
  readonly cautions: readonly string[];
}

export interface RestorableState {
  readonly database: Database;
  /** The Region that would restore. */
  readonly region: Region;
  readonly points: readonly RecoveryPoint[];
  /** Undefined when the live database is gone or does not answer: then there is no log to restore from. */
  readonly live: Pick<LiveDatabase, 'earliestRestorableAt' | 'latestRestorableAt'> | undefined;
}

/**
 * How to come closest to the goal. For a state in time the log is taken where it reaches, because it loses least; outside of
 * it the newest backup before that time, verified ones first.
 *
 * @throws InvalidInput when nothing can be restored, or the named backup is not there
 */
export function planRestore(state: RestorableState, goal: RestoreGoal, now: Date): RestorePlan {
  if (goal.kind === 'point') return fromNamedPoint(state, goal.recoveryPointId, now);
  const wanted = goal.kind === 'time' ? goal.time : now;
  if (wanted > now) {
    throw new InvalidInput(`${wanted.toISOString()} lies in the future`, {
      hint: 'Name a time that has been, with its zone: 2026-11-21T07:30:00Z.',
    });
  }
  const { earliestRestorableAt: earliest, latestRestorableAt: latest } = state.live ?? {};
  if (earliest && latest && wanted >= earliest) return fromLog(state, new Date(Math.min(wanted.getTime(), latest.getTime())), wanted);
  return fromBestPoint(state, wanted);
}

const availableIn = (point: RecoveryPoint, region: Region): Location | undefined =>
  point.locations.find((location) => location.region === region && location.status === 'available');

/** The verdict on what would be restored: a snapshot's own where it has one, else that on the point. */
const verdictIn = (point: RecoveryPoint, region: Region): 'verified' | 'refused' | 'pending' =>
  availableIn(point, region)?.verdict?.outcome ?? point.verification?.outcome ?? 'pending';

function fromLog({ database, region }: RestorableState, time: Date, wanted: Date): RestorePlan {
  const expectedLossSeconds = secondsBetween(time, wanted);
  return {
    databaseId: database.id,
    method: 'transaction-log',
    region,
    restoresTo: time.toISOString(),
    verification: 'not-applicable',
    expectedLossSeconds,
    objectiveSeconds: database.objectives.rpo,
    steps: [
      'Stop the application, or let it read only: what it writes from now on is not in the restored database.',
      `Restore ${database.id} to ${time.toISOString()} from snapshot and log into a new database in ${region}; the old one stays as it is.`,
      ...sharedSteps(database, region),
    ],
    cautions: lossCaution(expectedLossSeconds, database.objectives.rpo),
  };
}

function fromBestPoint(state: RestorableState, wanted: Date): RestorePlan {
  const { database, region, points } = state;
  const rank = (point: RecoveryPoint) => Number(verdictIn(point, region) === 'verified');
  const before = points
    .filter(
      (point) => Date.parse(point.requestedAt) <= wanted.getTime() && availableIn(point, region) && verdictIn(point, region) !== 'refused',
    )
    .sort((a, b) => rank(b) - rank(a) || b.requestedAt.localeCompare(a.requestedAt));
  const best = before[0];
  if (best) {
    const plan = fromPoint(state, best, wanted);
    const newer = before
      .filter((point) => point.requestedAt > best.requestedAt)
      .sort((a, b) => b.requestedAt.localeCompare(a.requestedAt))[0];
    const caution = newer && `A newer backup, ${newer.id}, has not been verified yet: codeblue verify ${newer.id} does it.`;
    return { ...plan, cautions: [...plan.cautions, ...(caution ? [caution] : [])] };
  }
  const elsewhere = [
    ...new Set(points.flatMap(({ locations }) => locations.filter(({ status }) => status === 'available').map((each) => each.region))),
  ];
  throw new InvalidInput(`no backup of ${database.id} in ${region} can be restored to ${wanted.toISOString()}`, {
    hint:
      elsewhere.length > 0
        ? `Backups are available in: ${elsewhere.join(', ')}. Try --region, or another time; codeblue backup list --database ${database.id} shows them.`
        : `There is none available at all: codeblue backup list --database ${database.id} --all shows what there was.`,
  });
}

function fromNamedPoint(state: RestorableState, id: string, now: Date): RestorePlan {
  const { database, region, points } = state;
  const point = points.find((each) => each.id === id);
  const list = `codeblue backup list --database ${database.id} shows the ones there are.`;
  if (!point) throw new InvalidInput(`there is no backup ${id} of ${database.id}`, { hint: list });
  if (availableIn(point, region)) return fromPoint(state, point, now);
  const where = point.locations.filter(({ status }) => status === 'available').map((location) => location.region);
  throw new InvalidInput(`backup ${id} is not available in ${region}`, {
    hint: where.length > 0 ? `It is in ${where.join(', ')}: add --region ${where[0]}.` : `It is available nowhere; ${list}`,
  });
}

function fromPoint({ database, region }: RestorableState, point: RecoveryPoint, wanted: Date): RestorePlan {
  const location = availableIn(point, region);
  const expectedLossSeconds = Math.max(0, secondsBetween(new Date(point.requestedAt), wanted));
  const verification = verdictIn(point, region);
  const cautions = lossCaution(expectedLossSeconds, database.objectives.rpo);
  if (verification === 'refused')
    cautions.unshift('This backup was refused by its verification: do not restore it, unless nothing else is left.');
  if (verification === 'pending') cautions.unshift(`This backup has not been verified: codeblue verify ${point.id} does it.`);
  return {
    databaseId: database.id,
    method: 'recovery-point',
    region,
    restoresTo: point.requestedAt,
    recoveryPointId: point.id,
    snapshotId: location?.snapshotId,
    verification,
    expectedLossSeconds,
    objectiveSeconds: database.objectives.rpo,
    steps: [
      'Stop the application, or let it read only: what it writes from now on is not in the restored database.',
      `Restore snapshot ${location?.snapshotId} into a new database in ${region}; the old one stays as it is.`,
      ...sharedSteps(database, region),
    ],
    cautions,
  };
}

const lossCaution = (loss: number, objective: number): string[] =>
  loss > objective ? [`It loses ${formatSeconds(loss)} of data, the objective is ${formatSeconds(objective)}.`] : [];

const sharedSteps = (database: Database, region: Region): readonly string[] => [
  `Put it into the network of ${database.sites[region]?.identifier ?? database.id} and wait until it answers queries.`,
  'Verify it before anybody uses it: schema, rows, content, foreign keys, sequences, invariants.',
  'Read the newest canary in it: its age is the data that was lost. Tell the owners.',
  'Point the application at it, watch it, and keep the old database until the new one has a verified backup of its own.',
];
