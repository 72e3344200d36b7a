import type { ExecutionRef, Executions } from '../../maintenance/ports.ts';
import type { FailoverPlan } from '../models.ts';

/** Names that are tried before people must look. One execution that fails and is started again each half minute uses them up in an hour. */
const attempts = 99;

/** The name is the epoch, so that of all who would start it one does; what died is started again under the next name. */
export const failoverExecution = ({ to, epoch }: Pick<FailoverPlan, 'to' | 'epoch'>, attempt = 1): ExecutionRef => ({
  region: to,
  machine: 'failover',
  name: attempt === 1 ? `failover-${epoch}` : `failover-${epoch}-${attempt}`,
});

/**
 * Where an epoch's executions stand: the one that runs, or else the first name that is free.
 *
 * @param from attempts before it are known to have ended
 */
export async function latestExecution(
  executions: Executions,
  plan: Pick<FailoverPlan, 'to' | 'epoch'>,
  from = 1,
): Promise<{ readonly status: 'running' | 'free' | 'used-up'; readonly attempt: number; readonly ref: ExecutionRef }> {
  for (let attempt = from; attempt <= attempts; attempt++) {
    const ref = failoverExecution(plan, attempt);
    const status = (await executions.describe(ref))?.status;
    if (status === undefined) return { status: 'free', attempt, ref };
    if (status === 'running') return { status: 'running', attempt, ref };
  }
  return { status: 'used-up', attempt: attempts, ref: failoverExecution(plan, attempts) };
}
