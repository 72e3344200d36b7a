import { audited } from '../../../functions/audit/audited.ts';
import { minutes } from '../../../functions/common/duration.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { isSettled } from '../../../functions/incidents/is-over.ts';
import type { Page } from '../../../functions/incidents/models.ts';
import { onCallOf } from '../../../functions/incidents/on-call/on-call.ts';
import { testId } from '../../../functions/incidents/pager-audit/test-paging.ts';
import type { Report } from '../../progress.ts';
import { table } from '../../render/table.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';

export const onCallTestPorts = ['auditLog', 'incidents', 'outbox', 'taskInvoker'] as const;
type TestSession = Session<(typeof onCallTestPorts)[number]>;

export interface PlannedTest {
  readonly region: string;
  readonly onDuty: readonly { readonly schedule: string; readonly person: string | null }[];
}

export async function planTest({ ports, operations, clock, region }: TestSession): Promise<PlannedTest> {
  const onCall = onCallOf(operations.incidents, await ports.incidents.overrides());
  const onDuty = operations.incidents.schedules.map(({ id }) => ({ schedule: id, person: onCall.at(id, clock.now()) ?? null }));
  return { region, onDuty };
}

export const renderPlannedTest = ({ region, onDuty }: PlannedTest): string =>
  `Send a synthetic page from ${region} by every way to everybody on duty: ${onDuty.map(({ schedule, person }) => `${person ?? 'NOBODY'} (${schedule})`).join(', ')}. It says that it is a test.`;

const within = minutes(5);
const poll = 2_000;

/** Has the pages sent, and waits until each of them was taken or refused. @throws ServiceUnavailable when they are not within five minutes */
export async function testPages(session: TestSession, principal: string, report: Report): Promise<readonly Page[]> {
  const { ports, clock, region } = session;
  // Ids count seconds: two tests of one second are one.
  const scheduledAt = new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
  const incidentId = testId({ scheduledAt, region });
  const act = { actor: `cli/${principal}`.slice(0, 200), action: 'test-paging', resource: incidentId };
  report('asking for it');
  await audited({ auditLog: ports.auditLog, clock, region }, act, () =>
    ports.taskInvoker.invoke({ task: 'test-paging', key: 'by-hand', input: { now: true }, scheduledAt }),
  );
  const deadline = clock.now().getTime() + within * 1000;
  for (;;) {
    const pages = await ports.outbox.of(incidentId);
    if (pages.length > 0 && pages.every(isSettled)) return pages;
    if (clock.now().getTime() > deadline) {
      throw new ServiceUnavailable(
        `${pages.filter((page) => !isSettled(page)).length} of ${pages.length} pages are not sent after 5 minutes`,
        {
          hint: 'The log group of test-paging says why. docs/runbooks/PagingUntested.md',
        },
      );
    }
    report(pages.length === 0 ? 'waiting for the pages to be written down' : `${pages.filter(isSettled).length} of ${pages.length} sent`);
    await clock.sleep(poll);
  }
}

export const renderTestPages = (pages: readonly Page[], { colours }: Terminal): string =>
  [
    table(
      ['PERSON', 'BY', 'STANDS', ''],
      pages.map(({ person, method, status, receipt }) => [
        person,
        method,
        status === 'accepted' ? 'taken' : { text: status, paint: colours.red },
        receipt ?? '',
      ]),
      colours.bold,
    ),
    'Taken by the channel is not read by a person: ask them.',
  ].join('\n');
