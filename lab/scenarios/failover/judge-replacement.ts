import { formatSeconds } from '../../../functions/common/duration.ts';
import type { Region } from '../../../functions/common/ids.ts';
import type { PgAddress } from '../../../functions/common/pg-server.ts';
import type { Epoch } from '../../../functions/failover/models.ts';
import { tryToWriteAt } from '../../failover/old-primary.ts';
import { damagedServer } from '../../failover/swaps.ts';
import { writerLoss } from '../../hospital/acknowledgements.ts';
import { readJournal } from '../../hospital/journal.ts';
import { type Damage, damagedRows, inHospital } from './damage-rows.ts';
import type { Outcome } from './kills.ts';
import type { FailoverStage } from './stage.ts';

/** One exchange of a damaged database for a restored copy; times by `performance.now()`. */
export interface Replacement {
  readonly leader: Region;
  readonly epoch: Epoch;
  /** Since when the damaged one had led. */
  readonly sinceMs: number;
  /** Just before the copy got its first lease. */
  readonly openedMs: number;
  /** Its first acknowledgement. */
  readonly firstMs: number | undefined;
  readonly damage: Damage;
}

const attempts = 20;
/** `read_only_sql_transaction`: what the fence answers. */
const fenced = '25006';
/** Dates have milliseconds, commits microseconds: an acknowledgement so long before the chosen second is certainly of a commit before it. */
const clearlyBeforeMs = 2;

/** F10 and P1 of an exchange, by what the writer was told and what both servers hold: the damaged one still runs. */
export async function judgeReplacement(stage: FailoverStage, replacement: Replacement): Promise<Outcome> {
  const { world, findings } = stage;
  const { leader, damage, openedMs, firstMs, sinceMs, epoch } = replacement;
  const damaged = damagedAddress(stage, replacement);
  const times = await journalTimes(damaged);
  const present = await readJournal(world.regions.address(leader, 'admin'));
  const old = world.acknowledgements.all.filter(({ region, atMs }) => region === leader && atMs >= sinceMs && atMs < openedMs);
  const early = old.filter(({ atMs }) => atMs <= damage.untilMs - clearlyBeforeMs);
  const late = old.filter(({ id }) => (times.get(id) ?? Number.POSITIVE_INFINITY) > damage.until.getTime());
  const missing = early.filter(({ id }) => !present.has(id));
  const back = late.filter(({ id }) => present.has(id));
  const rows = { live: await damagedRows(world.regions.address(leader, 'admin')), kept: await damagedRows(damaged) };
  const lostIds = writerLoss(old, leader, present, sinceMs).lostIds;
  const lastMs = old.at(-1)?.atMs ?? Number.NaN;
  const pauseSeconds = ((firstMs ?? Number.NaN) - lastMs) / 1000;
  findings.measure('recoveryPauseSeconds', pauseSeconds);
  findings.measure('recoveryLostTransactions', lostIds.length);
  findings.promise(
    'F10.corruption',
    'The damage is gone; every write acknowledged up to the chosen second is there, and exactly the later ones are not.',
    rows.live === 0 && rows.kept > 0 && missing.length === 0 && back.length === 0 && early.length > 0 && late.length > 0,
    `${damage.rows} rows damaged, ${rows.live} are; ${early.length} acknowledged before, ${missing.length} of them missing; ${late.length} later, ${back.length} of them there; ${old.length - early.length - late.length} in the same moment; no writes for ${formatSeconds(pauseSeconds)}`,
  );
  const writes = await judgeOneWriter(stage, replacement, damaged, times);
  findings.promise(
    'F10.kept',
    'The damaged server keeps everything that it had, under a name of its own.',
    old.every(({ id }) => times.has(id)) && world.record().epoch === epoch,
    `${old.filter(({ id }) => times.has(id)).length} of ${old.length} acknowledged transactions are on it, ${lostIds.length} only there`,
  );
  return {
    loss: { acknowledged: old.length, lostIds, lostSeconds: (lastMs - damage.untilMs) / 1000 },
    double: { writes, milliseconds: lastMs - (firstMs ?? Number.NaN) },
  };
}

/** @returns writes that the damaged server took when it had been closed */
async function judgeOneWriter(
  { world, findings }: FailoverStage,
  { leader, epoch }: Replacement,
  damaged: PgAddress,
  times: ReadonlyMap<number, number>,
): Promise<number> {
  const receipt = await world.lab.ports(leader).coordination.receipt(leader, epoch);
  const closedAt = Date.parse(receipt?.at ?? '');
  const late = [...times.values()].filter((at) => at > closedAt).length;
  // The network turns the application away; the superuser gets in, and meets the fence.
  const tried = await tryToWriteAt(damaged, attempts);
  const application = await tryToWriteAt({ ...damaged, ...world.regions.state.accounts.application }, attempts);
  const accepted = tried.accepted + application.accepted;
  findings.promise(
    'P1.replacement',
    'One writer in each epoch: the damaged server has taken no write since it was closed, not from one that knows its new address either.',
    receipt !== undefined && late === 0 && accepted === 0 && tried.codes.size === 1 && tried.codes.has(fenced),
    `${late} writes after it was closed; ${tried.refused + application.refused} of ${2 * attempts} refused with SQLSTATE ${[...new Set([...tried.codes, ...application.codes])].join(', ')}`,
  );
  return late + accepted;
}

function damagedAddress({ world: { regions } }: FailoverStage, { leader, epoch }: Replacement): PgAddress {
  const port = damagedServer(regions, regions.use(leader), epoch).port();
  if (port === undefined) throw new TypeError(`the damaged server of epoch ${epoch} does not run`);
  return { host: '127.0.0.1', port, ...regions.state.accounts.admin };
}

/** When each transaction wrote its row, which was the last thing before its commit: milliseconds since 1970 by the database's clock. */
async function journalTimes(address: PgAddress): Promise<ReadonlyMap<number, number>> {
  const rows = await inHospital(address, 'SELECT id, extract(epoch FROM at) * 1000 AS at FROM lab.journal');
  return new Map(rows.map(({ id, at }) => [Number(id), Number(at)]));
}
