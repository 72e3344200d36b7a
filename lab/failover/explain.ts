import { formatSeconds } from '../../functions/common/duration.ts';
import { storedRecord } from './coordination.ts';
import type { FailoverWorld } from './world.ts';

const SHOWN_LINES = 60;

/** Where everything stands, for whoever wonders why nothing moves. */
export async function explain({ lab, log, regions, schedule, watcher, writer, candidates }: FailoverWorld): Promise<string> {
  const record = storedRecord(lab.stores.coordination);
  const { coordination, executions } = lab.ports(watcher);
  const now = lab.clock.now().getTime();
  const ago = (at: string): string => formatSeconds((now - Date.parse(at)) / 1000);
  const votes = (await coordination.votes().catch(() => [])).map(({ observer, at, findings, epoch }) => {
    const bad = findings.filter(({ status }) => status !== 'healthy').map(({ subject, says }) => `${subject} ${says}`);
    return `${observer} (${ago(at)} ago, epoch ${epoch}): ${bad.join(', ') || 'nothing wrong'}`;
  });
  const asked = (await coordination.requests().catch(() => [])).filter(({ question }) => question.plan.epoch === record?.epoch);
  const questions = asked.map(
    ({ question }) => `${question.question}${question.losses.map((loss) => ` at most ${formatSeconds(loss.atMostSeconds)}`).join()}`,
  );
  const started = lab.executions.started.slice(-3);
  const states = await Promise.all(
    started.map(async (each) => `${each.name} ${(await executions.describe(each).catch(() => undefined))?.status ?? 'unknown'}`),
  );
  return [
    record &&
      `epoch ${record.epoch} ${record.phase} for ${record.holder}, ${record.fenced ? 'fenced' : 'NOT FENCED'}, changed ${ago(record.changedAt)} ago, version ${record.version}`,
    ...candidates.map((region) => `${region}: PostgreSQL ${regions.faults.isUp(region) ? regions.use(region).server.status() : 'down'}`),
    `executions: ${states.join(', ') || 'none'}`,
    `questions: ${questions.join(', ') || 'none'}`,
    ...votes,
    ...regions.names.flatMap((region) =>
      schedule(region)
        .failures.slice(-2)
        .map((failure) => `${region}: ${failure}`),
    ),
    ...log.last(SHOWN_LINES),
    `writer: ${[...writer.report().errors].map(([code, count]) => `${code} ${count}`).join(', ')}`,
  ]
    .filter(Boolean)
    .join('\n');
}
