import { readdirSync, readFileSync } from 'node:fs';
import type { Variant } from './variants.ts';

export interface Reading {
  /** Of whatever is counted. */
  readonly perSecond: number;
  /** Processor time of the server for each, microseconds; undefined where /proc does not tell. */
  readonly serverMicros: number | undefined;
}

export interface Overhead {
  readonly name: string;
  /** Of the time that the same work takes without a fence, in percent: median over the rounds. */
  readonly percent: number;
  readonly rounds: readonly number[];
  /** The same of the server's processor time. */
  readonly serverPercent: number | undefined;
  readonly perSecond: number;
  readonly serverMicros: number | undefined;
}

/**
 * Each round measures all variants forwards and then backwards, so that a drift of the machine weighs on all alike, and compares each with the first of
 * the same round.
 */
export async function measureRounds(
  variants: readonly Variant[],
  rounds: number,
  measure: (variant: Variant) => Promise<Reading>,
): Promise<readonly Overhead[]> {
  const readings = new Map<Variant, { readonly time: number; readonly server: number | undefined }[]>(variants.map((each) => [each, []]));
  for (let round = 0; round < rounds; round++) {
    const sums = new Map(variants.map((each) => [each, { time: 0, server: 0 as number | undefined }]));
    for (const variant of [...variants, ...[...variants].reverse()]) {
      const { perSecond, serverMicros } = await measure(variant);
      const sum = sums.get(variant);
      if (!sum) continue;
      sum.time += 0.5 / perSecond;
      sum.server = sum.server === undefined || serverMicros === undefined ? undefined : sum.server + serverMicros / 2;
    }
    for (const [variant, sum] of sums) readings.get(variant)?.push(sum);
  }
  const [first] = variants;
  const base = first ? (readings.get(first) ?? []) : [];
  return variants.map((variant) => overheadOf(variant, readings.get(variant) ?? [], base));
}

type Sums = readonly { readonly time: number; readonly server: number | undefined }[];

function overheadOf({ name }: Variant, own: Sums, base: Sums): Overhead {
  const percentOf = (value: number | undefined, against: number | undefined): number =>
    100 * ((value ?? Number.NaN) / (against ?? Number.NaN) - 1);
  const rounds = own.map(({ time }, round) => percentOf(time, base[round]?.time));
  const server = own.map((each, round) => percentOf(each.server, base[round]?.server));
  const serverMicros = own.flatMap((each) => (each.server === undefined ? [] : [each.server]));
  return {
    ...{ name, rounds, percent: median(rounds), perSecond: 1 / median(own.map(({ time }) => time)) },
    serverPercent: server.some(Number.isNaN) ? undefined : median(server),
    serverMicros: serverMicros.length === own.length ? median(serverMicros) : undefined,
  };
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN)) / 2;
};

/** Processor time of a server's processes so far, those that ended included, in seconds; undefined but on Linux. */
export function processorSeconds(dataDirectory: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const postmaster = readFileSync(`${dataDirectory}/postmaster.pid`, 'utf8').split('\n')[0] ?? '';
  const TICKS = 100; // USER_HZ: the unit of /proc/<pid>/stat on every Linux
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = fieldsOf(pid);
    // Fields after the name: 1 parent, 11-12 own time, 13-14 that of children waited for.
    if (stat && pid === postmaster) ticks += Number(stat[11]) + Number(stat[12]) + Number(stat[13]) + Number(stat[14]);
    else if (stat?.[1] === postmaster) ticks += Number(stat[11]) + Number(stat[12]);
  }
  return ticks / TICKS;
}

/** A process may end between the listing and the reading. */
function fieldsOf(pid: string): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
