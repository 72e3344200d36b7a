import { seconds } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { isOutdated } from '../alarm-effect.ts';
import { mayRun } from '../guard.ts';
import { readLeadership, runbookOf } from '../look.ts';
import { RunbookRecord } from '../models.ts';
import { found } from './runbook-step.ts';

/** Looks once whether it may run, before anybody is asked. What is found is looked at again when it begins. */
export const checkRunbook = defineStep({
  name: 'check-runbook',
  summary: 'Looks whether an automated runbook may run now.',
  timeout: seconds(30),
  needs: ['coordination:read', 'incidents:read', 'runbooks:record'],
  input: RunbookRecord,
  async run(record, { operations, incidents, coordination, runbookRuns, clock }) {
    const { request } = record;
    const runbook = runbookOf(operations, request.runbook);
    const outdated = await isOutdated(request, incidents);
    if (outdated !== undefined) return found(record, 'refused', outdated);
    const leadership = await readLeadership({ coordination, operations });
    const { runs } = await runbookRuns.history();
    const verdict = mayRun(runbook, { runId: request.runId, runs }, { leadership, windows: operations }, clock.now());
    if (verdict.kind === 'refused') return found(record, 'refused', verdict.because);
    return found(record, runbook.guard.approval ? 'ask' : 'may', verdict.says);
  },
});
