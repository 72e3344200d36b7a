import type { Region } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import type { AnyTask } from '../common/task.ts';

/** Whether a task is deployed in this Region: those of the active Region where it can be, those that reach live databases where such a database lives. */
export function runsHere(task: AnyTask, operations: Operations, region: Region): boolean {
  if (task.schedules(operations).length === 0) return false;
  if (task.network === 'production' && !operations.databases.some(({ sites }) => sites[region] !== undefined)) return false;
  return task.runsIn === 'every' || region !== operations.regions.tertiary;
}
