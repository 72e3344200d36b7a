import { minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { BreachRecord } from '../models.ts';
import { tellingDeadlines } from '../telling-others.ts';
import { act, found } from './breach-step.ts';

/** Ids, Regions, counts and times: the reason that somebody wrote may hold anything, and mail is not where it belongs. */
export const tellOfBreach = defineStep({
  name: 'tell-of-breach',
  summary: 'Tells people that a breach is being contained, and until when others must be told.',
  timeout: minutes(1),
  needs: ['notices:publish'],
  input: BreachRecord,
  async run(record, context) {
    const { notices, metrics, clock, region } = context;
    const { breachId, declaredAt, requestedBy } = record.request;
    const text = [
      `${breachId} was declared at ${declaredAt} by ${requestedBy}.`,
      record.shutOut.length > 0
        ? `The application is shut out of ${record.shutOut.map(({ databaseId, region: where }) => `${databaseId} in ${where}`).join(', ')}.`
        : 'The application is shut out of no database.',
      ...record.gaps.map((gap) => `NOT DONE: ${gap}.`),
      'Connections that were open may live on: docs/runbooks/SecurityBreach.md says how to end them.',
      '',
      'Others must be told, counted from the declaration; whoever knew earlier counts from then:',
      ...tellingDeadlines(declaredAt).map(({ rule, whom, until }) => `- ${whom} before ${until} (${rule})`),
    ].join('\n');
    await act(context, record, { action: 'tell-of-breach', resource: breachId }, async () => {
      await notices.publish({ region, severity: 1, subject: `A breach is being contained: ${breachId}`, text });
    });
    await metrics.put({
      capability: 'failover',
      name: metricNames.failover.breaches,
      value: 1,
      unit: 'Count',
      dimensions: { Region: region },
    });
    return found({ ...record, toldAt: timestamp(clock.now()) }, 'told', 'people are told');
  },
});
