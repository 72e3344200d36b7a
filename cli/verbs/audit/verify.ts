import { NoteRefused } from '../../../functions/audit/errors.ts';
import { openNote } from '../../../functions/audit/log/checkpoint.ts';
import { confirmed, type Finding } from '../../../functions/audit/watch/finding.ts';
import { type Look, lookAtLogs } from '../../../functions/audit/watch/look-at-logs.ts';
import { readPublished } from '../../../functions/audit/watch/published-logs.ts';
import { after, hours, seconds } from '../../../functions/common/duration.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import type { Region } from '../../../functions/common/ids.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';

export const auditVerifyPorts = ['auditEvents', 'auditHead', 'auditObjects', 'auditQueue', 'auditWatchMemory', 'checkpointSigner'] as const;
type VerifySession = Session<(typeof auditVerifyPorts)[number]>;

/** One generation of one Region's log. */
export interface VerifiedLog {
  readonly generation: number;
  /** What whoever verifies a proof offline must know, and get from somewhere else than the proof. */
  readonly verifierKey: string;
  /** Entries that the published checkpoint signs for; absent where there is none that the key signed. */
  readonly size?: number;
}

export interface VerifiedRegion {
  readonly region: Region;
  readonly logs: readonly VerifiedLog[];
  /** Entries that were read and hashed now. */
  readonly entries: number;
  readonly findings: readonly Finding[];
  /** Why it could not be looked at. */
  readonly unreachable?: string;
}

/** A look that found something is taken again after so long: what a sequencer at work shows for a moment is gone then. */
const pause = seconds(2);
const longest = hours(6);

/**
 * Looks at the logs of the session's Region now, as the watch does every five minutes: signatures, the checkpoint that was seen last, everything that is new since, the head,
 * and what waits. It remembers nothing: that is for the watch.
 *
 * @param full reads every entry again, and not what is new alone
 */
export async function verifyRegion(session: VerifySession, full: boolean, report: Report): Promise<VerifiedRegion> {
  const { region } = session;
  report(`reading the log of ${region}`);
  try {
    const look = await lookTwice(session, full, report);
    const { published } = await readPublished(region, { ...session.ports, ...session });
    const logs = published.map(
      ({ generation, verifierKey, note }): VerifiedLog => ({ generation, verifierKey, ...sizeOf(note, verifierKey) }),
    );
    return { region, logs, entries: look.entries, findings: look.findings };
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) throw error;
    return { region, logs: [], entries: 0, findings: [], unreachable: error.message };
  }
}

async function lookTwice(session: VerifySession, full: boolean, report: Report): Promise<Look> {
  const first = await look(session, full);
  if (first.findings.length === 0) return first;
  report(`something is wrong in ${session.region}: looking again`);
  await session.clock.sleep(pause * 1000);
  const second = await look(session, full);
  return { ...second, findings: confirmed(first.findings, second.findings) };
}

function look({ ports, operations, clock, region }: VerifySession, full: boolean): Promise<Look> {
  const { auditWatchMemory } = ports;
  const fromTheBeginning = {
    last: async (...log: Parameters<typeof auditWatchMemory.last>) => {
      const last = await auditWatchMemory.last(...log);
      return last && { ...last, verifiedSize: 0 };
    },
  };
  const readUntil = after(clock.now(), longest);
  return lookAtLogs(region, {
    ...ports,
    auditWatchMemory: full ? fromTheBeginning : auditWatchMemory,
    operations,
    clock,
    region,
    readUntil,
  });
}

function sizeOf(note: string | undefined, verifierKey: string): Pick<VerifiedLog, 'size'> {
  try {
    return note === undefined ? {} : { size: openNote(note, verifierKey).size };
  } catch (error) {
    if (error instanceof NoteRefused) return {};
    throw error;
  }
}

export const isWell = ({ findings, unreachable }: VerifiedRegion): boolean => findings.length === 0 && unreachable === undefined;

export function renderVerified(regions: readonly VerifiedRegion[], { colours }: Pick<Terminal, 'colours'>): string {
  return regions
    .flatMap(({ region, logs, entries, findings, unreachable }) => [
      headline(region, { findings: findings.length, unreachable, published: logs.length > 0 }, colours),
      ...findings.map(
        ({ code, generation, subject, says }) => `  ${colours.red(code)} ${generation}/${subject}: ${says}. See docs/runbooks/${code}.md`,
      ),
      ...logs.map(({ generation, size, verifierKey }) => `  log ${generation}: ${size ?? 'no'} entries, key ${verifierKey}`),
      ...(logs.length > 0 ? [`  read and hashed now: ${entries} entries`] : []),
    ])
    .join('\n');
}

function headline(
  region: Region,
  {
    findings,
    unreachable,
    published,
  }: { readonly findings: number; readonly unreachable: string | undefined; readonly published: boolean },
  colours: Terminal['colours'],
): string {
  if (unreachable !== undefined) return colours.red(`${region}: cannot be looked at: ${unreachable}`);
  if (findings > 0) return colours.red(`${region}: ${findings} ${findings === 1 ? 'finding' : 'findings'}`);
  return published
    ? colours.green(`${region}: the log only grew, and everything looked at hashes to its signed checkpoint`)
    : `${region}: no log yet`;
}
