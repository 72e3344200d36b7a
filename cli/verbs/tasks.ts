import { describeSchedule } from '../../functions/common/schedule.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import { readSchedules } from '../../functions/status/read-status.ts';
import { localTime } from '../render/moments.ts';
import { type Cell, table } from '../render/table.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

export const tasksPorts = ['ledger'] as const;

interface TaskLine {
  readonly task: string;
  readonly key: string;
  readonly summary: string;
  /** `daily 02:00`; local times are in the deployment's zone. */
  readonly schedule: string;
  readonly runsIn: string;
  readonly nextAt: string;
  readonly lastSuccessAt?: string;
}

export interface TasksResult {
  readonly timeZone: string;
  readonly tasks: readonly TaskLine[];
}

/** Every scheduled task with its schedules, in the order of the registry. */
export async function listTasks(
  { ports, operations, clock }: Pick<Session<(typeof tasksPorts)[number]>, 'ports' | 'operations' | 'clock'>,
  tasks: readonly AnyTask[],
): Promise<TasksResult> {
  const lines = await Promise.all(
    tasks.map(async (task) => {
      const statuses = await readSchedules({ ports, operations, clock }, [task]);
      return task.schedules(operations).map(({ key, schedule }): TaskLine => {
        const found = statuses.find((each) => each.key === key);
        return {
          task: task.name,
          key,
          summary: task.summary,
          schedule: describeSchedule(schedule),
          runsIn: task.runsIn,
          nextAt: found?.nextAt ?? '',
          lastSuccessAt: found?.lastSuccessAt,
        };
      });
    }),
  );
  return { timeZone: operations.timeZone, tasks: lines.flat() };
}

export function renderTasks({ tasks, timeZone }: TasksResult, { colours }: Pick<Terminal, 'colours'>): string {
  const rows = tasks.map(({ task, key, schedule, nextAt, lastSuccessAt }): Cell[] => [
    key === '' ? task : `${task} ${key}`,
    schedule,
    localTime(nextAt, timeZone),
    lastSuccessAt ? localTime(lastSuccessAt, timeZone) : { text: 'never', paint: colours.dim },
  ]);
  return [table(['TASK', 'RUNS', 'NEXT', 'LAST SUCCESS'], rows, colours.bold), colours.dim(`Local times are in ${timeZone}.`)].join('\n');
}
