import type { FailoverPolicy } from '../../common/failover-policy.ts';
import { type Region, type Timestamp, timestamp } from '../../common/ids.ts';
import { type CoordinationRecord, Epoch, type Finding, type Vote } from '../models.ts';
import { nextFinding, type ProbeResult, resumedFindings } from './findings.ts';

/** What one observer knows of the Region that leads, from look to look. */
export interface Watch {
  readonly about: Region;
  readonly findings: readonly Finding[];
  readonly positions: Vote['positions'];
  /** When the findings were brought up to date; undefined before the first look. */
  readonly lookedAt: Timestamp | undefined;
}

export const freshWatch = (about: Region): Watch => ({ about, findings: [], positions: [], lookedAt: undefined });

/**
 * Goes on where an earlier run of this Region's observer left off, when that was about the same Region. Positions of the time before today's primaries were
 * opened are of databases that were replaced meanwhile.
 */
export function resumedWatch(about: Region, last: Vote | undefined, record?: Pick<CoordinationRecord, 'primarySince'>): Watch {
  if (last?.about !== about) return freshWatch(about);
  return { about, findings: last.findings, positions: last.epoch < (record?.primarySince ?? 0) ? [] : last.positions, lookedAt: last.at };
}

/** What was read of databases that others took the place of says nothing about those. */
export const withoutPositions = (watch: Watch): Watch => ({ ...watch, positions: [] });

/** One look at everything: what each probe said, and the positions that could be read. Positions that could not are kept. */
export interface Look {
  readonly probes: readonly (ProbeResult & { readonly subject: string })[];
  readonly positions: Vote['positions'];
}

export function looked(watch: Watch, { probes, positions }: Look, observe: FailoverPolicy['observe'], now: Date): Watch {
  const before = watch.lookedAt === undefined ? [] : resumedFindings(watch.findings, new Date(watch.lookedAt), observe, now);
  const known = new Map(before.map((finding) => [finding.subject, finding]));
  const read = new Set(positions.map(({ databaseId }) => databaseId));
  return {
    about: watch.about,
    findings: probes.map((probe) => nextFinding(probe.subject, known.get(probe.subject), probe, observe, now)),
    positions: [...watch.positions.filter(({ databaseId }) => !read.has(databaseId)), ...positions],
    lookedAt: timestamp(now),
  };
}

/** For how long this observer has seen one version of the record and no other. */
export interface Sighting {
  readonly version: number;
  readonly unchangedSeconds: number;
  /** End of the last read that returned it; undefined when an earlier run saw it. */
  readonly readAt: Date | undefined;
}

export const firstSighting = (last: Vote | undefined): Sighting => ({
  version: last?.lease.version ?? 0,
  unchangedSeconds: last?.lease.unchangedSeconds ?? 0,
  readAt: undefined,
});

/**
 * The sighting after a read that returned `version` and ended at `now`. Another version begins at nothing, at the END of the first read
 * that returned it: it was written before that.
 *
 * Between two reads no more is counted than lies between them when all goes well. A clock that is set forward in between adds a second or two
 * at most then, which the margin of the wait covers; a pause only makes the claimant wait longer. What an earlier run wrote down is
 * true as long as the version is the same, but the time between the runs is not counted: it would compare two machines' clocks.
 */
export function sighted(before: Sighting, version: number, { every, timeout }: FailoverPolicy['observe'], now: Date): Sighting {
  if (before.version !== version) return { version, unchangedSeconds: 0, readAt: now };
  const passed = before.readAt === undefined ? 0 : (now.getTime() - before.readAt.getTime()) / 1000;
  const counted = Math.min(Math.max(passed, 0), every + timeout);
  return { version, unchangedSeconds: before.unchangedSeconds + counted, readAt: now };
}

/** What is cast. Before the first guardian there is no record: a vote about epoch 0 of the Region that will lead. */
export const voteOf = (
  observer: Region,
  run: Timestamp,
  watch: Watch,
  sighting: Sighting,
  record: Pick<CoordinationRecord, 'epoch'> | undefined,
  now: Date,
): Vote => ({
  ...{ observer, run, at: timestamp(now) },
  about: watch.about,
  epoch: record?.epoch ?? Epoch.parse(0),
  findings: [...watch.findings],
  positions: [...watch.positions],
  lease: { version: sighting.version, unchangedSeconds: sighting.unchangedSeconds },
});
