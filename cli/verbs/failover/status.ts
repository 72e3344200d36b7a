import { formatSeconds, secondsBetween } from '../../../functions/common/duration.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { regionsOf } from '../../../functions/common/operations-lookup.ts';
import { judgeAnswer } from '../../../functions/failover/approval/approvals.ts';
import type { ApprovalRequest, Containment, CoordinationRecord, Finding, Hold } from '../../../functions/failover/models.ts';
import { type Decision, decide } from '../../../functions/failover/observe/decide.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';

export const failoverStatusPorts = ['coordination'] as const;

interface ObserverStatus {
  readonly observer: Region;
  /** Undefined when it never voted. */
  readonly ageSeconds?: number;
  /** Fresh enough to count. */
  readonly counts: boolean;
  readonly findings: readonly Finding[];
}

export interface FailoverStatus {
  readonly deployment: string;
  readonly at: string;
  readonly mode: 'off' | 'approve' | 'automatic';
  /** Absent before the first guardian. */
  readonly record?: CoordinationRecord;
  readonly observers: readonly ObserverStatus[];
  readonly hold?: Hold;
  /** A breach: the application is shut out until a person opens the network. */
  readonly containment?: Containment;
  /** What the observers' rules say at this moment. */
  readonly decision?: Pick<Decision, 'action' | 'says'>;
  /** Questions that wait for an answer. */
  readonly questions: readonly ApprovalRequest[];
  /** What a person should look at. */
  readonly problems: readonly string[];
}

/** @throws ServiceUnavailable when the coordination table does not answer */
export async function failoverStatus(session: Session<(typeof failoverStatusPorts)[number]>): Promise<FailoverStatus> {
  const { ports, operations, clock } = session;
  const { mode } = operations.failover;
  const now = clock.now();
  const about = { deployment: operations.name, at: now.toISOString(), mode };
  if (mode === 'off') return { ...about, observers: [], questions: [], problems: [] };
  const { coordination } = ports;
  const [record, votes, hold, containment, questions] = await Promise.all([
    coordination.read(),
    coordination.votes(),
    coordination.hold(),
    coordination.containment(),
    openQuestions(session),
  ]);
  const observers = regionsOf(operations).map((observer): ObserverStatus => {
    const vote = votes.find((each) => each.observer === observer);
    if (!vote) return { observer, counts: false, findings: [] };
    const ageSeconds = Math.max(0, secondsBetween(new Date(vote.at), now));
    return { observer, ageSeconds, counts: ageSeconds <= operations.failover.observe.voteMaxAge, findings: vote.findings };
  });
  const decision = record && decide({ operations, record, votes, hold, now });
  return {
    ...about,
    ...(record ? { record } : {}),
    ...(hold && Date.parse(hold.until) > now.getTime() ? { hold } : {}),
    ...(containment ? { containment } : {}),
    ...(decision ? { decision: { action: decision.action, says: decision.says } } : {}),
    observers,
    questions,
    problems: [...contained(containment), ...problemsOf(record, observers, questions, decision, now)],
  };
}

const contained = (containment: Containment | undefined): readonly string[] =>
  containment ? [`${containment.breachId}: the application is shut out since ${containment.since}, until codeblue contain --release`] : [];

/** Requests without an answer that are still open. */
export async function openQuestions({ ports, operations, clock }: Session<'coordination'>): Promise<readonly ApprovalRequest[]> {
  const requests = await ports.coordination.requests();
  const judged = await Promise.all(
    requests.map(async (request) => ({
      request,
      status: judgeAnswer(request, await ports.coordination.answerTo(request.hash), operations.failover.approvals, clock.now()).status,
    })),
  );
  return judged.filter(({ status }) => status === 'waiting').map(({ request }) => request);
}

function problemsOf(
  record: CoordinationRecord | undefined,
  observers: readonly ObserverStatus[],
  questions: readonly ApprovalRequest[],
  decision: Decision | undefined,
  now: Date,
): readonly string[] {
  if (!record) return ['no guardian has ever renewed a lease: nothing is fenced and nothing can be moved'];
  const lapsed = secondsBetween(new Date(record.leaseUntil), now);
  return [
    ...(record.phase === 'active' && lapsed > 0
      ? [`the lease of ${record.holder} ran out ${formatSeconds(lapsed)} ago: its databases refuse writes, or its guardians are gone`]
      : []),
    ...(record.phase === 'active'
      ? []
      : [`epoch ${record.epoch} is ${record.phase} for ${record.holder}: a change of leadership is under way`]),
    ...(record.fenced ? [] : ['not every table is fenced: nothing moves without a human']),
    ...observers.filter(({ counts }) => !counts).map(({ observer }) => `nothing is heard of the observer in ${observer}`),
    ...(decision?.action === 'move' ? [decision.says] : []),
    ...questions.map(
      ({ hash, question, expiresAt }) => `"${question.question}" waits for an answer until ${expiresAt} (${hash.slice(0, 16)})`,
    ),
  ];
}

export function renderFailoverStatus(result: FailoverStatus, { colours }: Pick<Terminal, 'colours'>): string {
  if (result.mode === 'off') return `${result.deployment}: failover.mode is off; nothing is observed and nothing is fenced`;
  const { record, decision, hold } = result;
  const lines = [
    result.problems.length === 0
      ? colours.green(`✓ ${result.deployment}: ${record?.holder} leads, and nothing speaks against it`)
      : colours.bold(colours.red(result.problems.length === 1 ? '1 thing to look at' : `${result.problems.length} things to look at`)),
    ...result.problems.map((says) => `  ${colours.red('✗')} ${says}`),
    '',
    ...(record ? recordLines(record, new Date(result.at)) : []),
    `  mode      ${result.mode}`,
    ...(hold ? [`  hold      until ${hold.until} by ${hold.by}: ${hold.reason}`] : []),
    ...(decision ? [`  decision  ${decision.says}`] : []),
    '',
    colours.bold('observers'),
    ...result.observers.flatMap((each) => observerLines(each, colours)),
  ];
  return lines.join('\n');
}

function recordLines({ epoch, holder, phase, leaseUntil, fenced, changedAt, plan }: CoordinationRecord, now: Date): string[] {
  const left = secondsBetween(now, new Date(leaseUntil));
  return [
    `  leads     ${plan ? `${plan.from}, on the way to ${plan.to}` : holder} (epoch ${epoch}, ${phase})`,
    `  lease     ${left >= 0 ? `${formatSeconds(left)} left` : `ran out ${formatSeconds(-left)} ago`}; ${fenced ? 'every table is fenced' : 'NOT every table is fenced'}`,
    `  since     ${changedAt}`,
  ];
}

function observerLines({ observer, ageSeconds, counts, findings }: ObserverStatus, colours: Terminal['colours']): string[] {
  const age = ageSeconds === undefined ? 'never voted' : `voted ${formatSeconds(ageSeconds)} ago`;
  return [
    `  ${observer}  ${counts ? age : colours.red(`${age}, does not count`)}`,
    ...findings.map(({ subject, status, says, since }) => {
      const mark = { healthy: colours.green('✓'), unhealthy: colours.red('✗'), unknown: '·' }[status];
      return `    ${mark} ${subject}  ${status} since ${since}: ${says}`;
    }),
  ];
}
