import { z } from 'zod';
import { audited } from '../../audit/audited.ts';
import { formatSeconds, minutes } from '../../common/duration.ts';
import type { PortsFor } from '../../common/ports.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { breachKnownWithin } from '../incident/breach.ts';
import type { Incident } from '../models.ts';
import { dueReminders, type Reminder, remindersLookBack } from './reminders.ts';

const needs = ['incidents:write', 'notices:publish'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/** Far more incidents than there are in eight months; a breach is not looked for behind them. */
const most = 50_000;

/**
 * Tells people as the law's deadlines come near (row I7). The line in the timeline is written after they were told: a run that dies in between tells them again, and none is
 * left out.
 */
export const remindOfDeadlines = defineTask({
  name: 'remind-of-deadlines',
  summary: 'Tells people as the deadlines of HIPAA and GDPR come near for a breach that nobody has reported yet.',
  schedule: ({ incidents }) => (incidents.mode === 'on' ? [{ key: '', schedule: every(minutes(30)), input: {} }] : []),
  runsIn: 'active',
  catchUp: false,
  timeout: minutes(5),
  needs,
  input: z.strictObject({}),
  async run(_, context) {
    const { incidents, operations, clock } = context;
    const now = clock.now();
    const recent = await incidents.recent(remindersLookBack(now, breachKnownWithin), most);
    const told: string[] = [];
    for (const incident of recent.filter(({ breachDeclaredAt, status }) => breachDeclaredAt !== undefined && status !== 'merged')) {
      for (const reminder of dueReminders(incident, await incidents.timeline(incident.id), operations.incidents, now)) {
        await remind(incident, reminder, context);
        told.push(`${incident.id}: ${reminder.says}`);
      }
    }
    return { told };
  },
});

/** Ids, rules and times; nothing that anybody wrote. */
async function remind(incident: Incident, { clock: deadline, dueAt, says, severity }: Reminder, context: Context): Promise<void> {
  const { incidents, notices, operations, region } = context;
  const { regulation, whom, until, rule, leftSeconds } = deadline;
  const act = {
    ...{ actor: 'task/remind-of-deadlines', action: 'remind-of-deadline', resource: incident.id },
    details: { regulation, until, dueAt },
  };
  const left = leftSeconds < 0 ? `That was ${formatSeconds(-leftSeconds)} ago.` : `${formatSeconds(leftSeconds)} are left.`;
  const text = [
    `${incident.id} is a breach, known since ${incident.breachDeclaredAt}.`,
    `${rule}: tell ${whom} before ${until}. ${left}`,
    `Whether the rule applies is for ${operations.contacts.compliance.name} to say (${operations.contacts.compliance.email}).`,
    '',
    `What the authority asks, with what is known: codeblue incident bundle ${incident.id} --regulation ${regulation}`,
    `When it has been told, or need not be: codeblue incident told ${incident.id} --regulation ${regulation} --help`,
    'docs/runbooks/RegulatoryDeadline.md',
  ].join('\n');
  await audited(context, act, async () => {
    await notices.publish({ region, severity, subject: `${regulation.toUpperCase()}: ${until.slice(0, 16)}Z for ${incident.id}`, text });
    await incidents.append(incident.id, [{ at: dueAt, kind: 'communication', by: act.actor, says }]);
  });
}
