import type { Operations } from '../../common/operations.ts';
import { candidateRegions } from '../leadership/candidates.ts';
import { failureSentence } from '../move/failure-sentence.ts';
import type { BreachRecord } from './models.ts';
import { tellingDeadlines } from './telling-others.ts';

export type BreachOutcome = 'contained' | 'incomplete' | 'not-contained';

/** Contained: held and shut everywhere, whatever became of the evidence. Incomplete: it is, and something that should be kept is not. */
export function breachOutcome(record: BreachRecord, operations: Pick<Operations, 'regions' | 'databases'>): BreachOutcome {
  const wanted = candidateRegions(operations).length * operations.databases.length;
  const isShut = record.heldAt !== undefined && (record.shutOut.length >= wanted || record.releasedBy !== undefined);
  if (!isShut) return 'not-contained';
  return record.gaps.length === 0 && record.failure === undefined ? 'contained' : 'incomplete';
}

/** Facts for machines: what the record holds, and how it ended. */
export function breachReport(record: BreachRecord, outcome: BreachOutcome, endedAt: string): Readonly<Record<string, unknown>> {
  const { request, heldAt, shutOut, databases, logs, sealed, recovery, releasedBy, gaps, failure } = record;
  return {
    format: 'codeblue-breach-report/1',
    ...{ outcome, request, endedAt, heldAt, shutOut, databases, recovery, releasedBy, gaps },
    logs: logs && { from: request.since, until: logs.until, groups: logs.groups },
    evidence: sealed,
    tell: tellingDeadlines(request.declaredAt),
    ...(failure === undefined ? {} : { stoppedBy: failureSentence(failure) }),
  };
}

const headings = {
  contained: 'The breach is contained.',
  incomplete: 'The breach is contained, and something that should be kept is not.',
  'not-contained': 'The breach is NOT contained: an application may still reach a database.',
} as const;

/** For people. Nothing out of a log. */
export function breachMarkdown(record: BreachRecord, outcome: BreachOutcome, endedAt: string): string {
  const { request, shutOut, databases, logs, sealed, recovery, gaps, failure, releasedBy } = record;
  const events = logs?.groups.reduce((sum, group) => sum + group.events, 0) ?? 0;
  return [
    `# ${request.breachId}`,
    '',
    `**${headings[outcome]}** Declared at ${request.declaredAt} by ${request.requestedBy}: ${request.reason}. Written at ${endedAt}.`,
    '',
    ...(gaps.length + (failure === undefined ? 0 : 1) === 0 ? [] : ['## Not done', '']),
    ...gaps.map((gap) => `- ${gap}`),
    ...(failure === undefined ? [] : [`- ${failureSentence(failure)}`]),
    ...(gaps.length + (failure === undefined ? 0 : 1) === 0 ? [] : ['']),
    '## Who must be told',
    '',
    'Counted from the declaration; whoever knew earlier counts from then. The compliance contact says which rules apply.',
    '',
    ...tellingDeadlines(request.declaredAt).map(({ rule, whom, until }) => `- ${whom} before ${until} (${rule})`),
    '',
    '## Shut out at the network',
    '',
    ...(shutOut.length === 0 ? ['Nothing.'] : shutOut.map(({ region, databaseId, at }) => `- ${databaseId} in ${region}, ${at}`)),
    ...(releasedBy === undefined ? [] : ['', 'The network was opened again while this was still at work.']),
    '',
    'Connections that were open may live on. Opening again is for a person: `codeblue contain --release`.',
    '',
    '## Kept',
    '',
    '| Database | backup | snapshot | copy in the vault | nobody can remove it before |',
    '| --- | --- | --- | --- | --- |',
    ...databases.map(
      ({ databaseId, recoveryPointId, status, locked }) =>
        `| ${databaseId} | ${recoveryPointId} | ${status} | ${locked?.status ?? 'none'} | ${locked?.lockedUntil ?? 'NOT LOCKED'} |`,
    ),
    '',
    logs ? `Logs from ${request.since} to ${logs.until}: ${events} events of ${logs.groups.length} groups.` : 'No logs were exported.',
    ...(sealed ? ['', `Manifest \`${sealed.key}\` of ${sealed.objects} objects, SHA-256 \`${sealed.sha256}\`.`] : []),
    ...(recovery ? ['', '## Recovery', '', `${recovery.recoveryId}: ${recovery.outcome ?? 'still running'}.`] : []),
    '',
  ].join('\n');
}
