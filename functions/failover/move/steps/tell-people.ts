import { formatSeconds, seconds, secondsBetween } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { FailoverRecord } from '../../models.ts';
import { endPhases, outageStart } from '../../report/phases.ts';
import { planFacts, planTitle } from '../plan-words.ts';
import { act, found } from './failover-step.ts';

/** Who leads now, how long it took, what may be lost, what is still missing. */
export const tellPeople = defineStep({
  name: 'tell-people',
  summary: 'Tells people who leads now, how long it took and what may be lost.',
  timeout: seconds(30),
  needs: ['notices:publish'],
  input: FailoverRecord,
  async run(record, context) {
    const { notices, region, clock } = context;
    const { plan, losses, shortfalls, confirmedAt } = record;
    const took = confirmedAt ? formatSeconds(secondsBetween(new Date(outageStart(plan)), new Date(confirmedAt))) : 'an unknown time';
    const lost = losses.map(({ databaseId, atMostSeconds, lastKnownAgeSeconds }) =>
      lastKnownAgeSeconds === undefined ? `${databaseId}: unknown` : `${databaseId}: at most ${formatSeconds(atMostSeconds)}`,
    );
    const text = [
      plan.replacement
        ? `${planFacts(plan)}. ${plan.reason}.`
        : `${plan.to} leads in epoch ${plan.epoch}; it was ${plan.from}. ${plan.reason}.`,
      `Writes were accepted again after ${took}.`,
      plan.kind === 'switchover' ? 'Nothing was lost.' : `Lost: ${lost.join(', ') || 'not known'}.`,
      ...shortfalls.map((says) => `Still missing: ${says}.`),
    ].join('\n');
    const subject = `${planTitle(plan)} is complete`;
    await act(context, record, { action: 'tell-people', resource: `epoch/${plan.epoch}` }, () =>
      notices.publish({ region, severity: shortfalls.length > 0 || plan.kind !== 'switchover' ? 1 : 3, subject, text }),
    );
    return { ...found(record, record.status, subject), phases: endPhases(record.phases, clock.now()) };
  },
});
