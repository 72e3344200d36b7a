import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { NotFound } from '../../functions/common/errors.ts';
import { type Region, type Timestamp, timestamp } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { EvidenceEvent, EvidenceLogs } from '../../functions/failover/ports.ts';
import type { LabRegion } from '../region.ts';
import type { Regions } from '../regions.ts';
import { handlerLogFile } from './handler-log.ts';

/** Read at a time; the service gives up to a megabyte. */
const PAGE_BYTES = 1 << 20;
/** PostgreSQL writes `2026-11-22 00:12:45.123 UTC `, handlers an ISO time. */
const lineTime = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d\.\d{3})(?: UTC|Z) /;

/** What tells in the lab what happened in a region: the logs of its handlers and of its PostgreSQL servers, replaced ones included. */
export function labEvidenceLogs(regions: Regions, { failover }: Pick<Operations, 'failover'>): EvidenceLogs {
  return {
    async groups(region) {
      const there = filesOf(regions.use(region));
      const named = failover.evidence.logGroups[region] ?? [];
      return [...new Set([...there.keys(), ...named])].sort().map((name) => ({ name, exists: there.has(name) }));
    },
    async page({ region, group, from, until, cursor = '0' }) {
      const path = filesOf(regions.use(region)).get(group);
      if (path === undefined) throw new NotFound(`there is no log group ${group} in ${region}`);
      const { lines, next } = wholeLines(path, Number(cursor));
      const events = eventsOf(lines, stream(region)).filter(
        ({ at }) => Date.parse(at) >= from.getTime() && Date.parse(at) < until.getTime(),
      );
      return { events, ...(next === undefined ? {} : { cursor: String(next) }) };
    },
  };
}

const stream = (region: Region): string => `lab/${region}`;

/** Log files of a region, by the names of their groups; those of a replaced database stay what they were. */
function filesOf({ paths, server }: LabRegion): ReadonlyMap<string, string> {
  const damaged = readdirSync(paths.root).filter((name) => name.startsWith('damaged-'));
  const all = [
    ['lab/handlers', handlerLogFile(paths)],
    ['lab/postgresql', server.logFile],
    ...damaged.map((name) => [`lab/postgresql-${name}`, join(paths.root, name, 'server.log')]),
  ] as const;
  return new Map(all.flatMap(([name = '', path = '']) => (existsSync(path) ? [[name, path] as const] : [])));
}

interface Line {
  /** Where it begins in its file, bytes: lines are only ever added. */
  readonly offset: number;
  readonly text: string;
}

/** Lines of one page, and where the next begins; a line that is still being written is left for later. */
function wholeLines(path: string, from: number): { readonly lines: readonly Line[]; readonly next: number | undefined } {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(PAGE_BYTES, Math.max(0, size - from)));
    readSync(file, bytes, 0, bytes.length, from);
    const lines: Line[] = [];
    let at = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, at)) {
      lines.push({ offset: from + at, text: bytes.toString('utf8', at, end) });
      at = end + 1;
    }
    return { lines, next: at > 0 && from + at < size ? from + at : undefined };
  } finally {
    closeSync(file);
  }
}

/** A line without a time belongs to the one before it; at the top of a page, to nothing that anybody can place. */
function eventsOf(lines: readonly Line[], from: string): readonly EvidenceEvent[] {
  let at: Timestamp | undefined;
  return lines.flatMap(({ offset, text }) => {
    const [prefix = '', day, time] = lineTime.exec(text) ?? [];
    if (day !== undefined) at = timestamp(new Date(`${day}T${time}Z`));
    return at === undefined ? [] : [{ id: `${from}/${offset}`, at, stream: from, message: text.slice(prefix.length) }];
  });
}
