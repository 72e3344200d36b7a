import { z } from 'zod';
import { audited } from '../../audit/audited.ts';
import { minutes } from '../../common/duration.ts';
import type { Operations } from '../../common/operations.ts';
import { defineTask } from '../../common/task.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import { FailoverRefused } from '../errors.ts';
import { automaticRequester } from '../leadership/plan.ts';
import type { FailoverPlan } from '../models.ts';
import type { WantedDrill } from './where-to-drill.ts';

interface Drill<Request> {
  readonly name: string;
  readonly summary: string;
  /** As sentences and the audit log call it: `rehearsal`, `full test`. */
  readonly called: string;
  readonly schedule: keyof Operations['failover']['drills'];
  request(
    wanted: WantedDrill & { readonly requestedBy: string },
  ): { readonly kind: 'request'; readonly request: Request } | { readonly kind: 'refused'; readonly because: string };
  executionOf(request: Request): ExecutionRef;
}

/** A task that starts a drill in the Region that would take over (row F9); in the one that leads there is nothing to do. */
export const drillTask = <Request extends Pick<FailoverPlan, 'epoch'> & { readonly leader: string }>(drill: Drill<Request>) =>
  defineTask({
    name: drill.name,
    summary: drill.summary,
    schedule: ({ failover }) => (failover.mode === 'off' ? [] : [{ key: '', schedule: failover.drills[drill.schedule], input: {} }]),
    runsIn: 'candidate',
    // Late it would run outside of the window.
    catchUp: false,
    timeout: minutes(1),
    needs: ['coordination:read', 'executions:move'],
    input: z.strictObject({}),
    async run(_, context) {
      const { operations, coordination, executions, region, scheduledAt } = context;
      const record = await coordination.read();
      if (record?.holder === region) return { started: null };
      // The time it was due, not the time it runs: a second trigger of one occurrence finds the first one's execution.
      const requested = drill.request({ operations, record, requestedBy: automaticRequester, now: scheduledAt, anytime: false });
      if (requested.kind === 'refused') throw new FailoverRefused(`no ${drill.called}: ${requested.because}`);
      const { request } = requested;
      const execution = drill.executionOf(request);
      const details = { epoch: request.epoch, leader: request.leader };
      const action = `start-${drill.called.replace(' ', '-')}`;
      const act = { actor: `task/${drill.name}`, action, resource: execution.name, details };
      await audited(context, act, () => executions.start({ ...execution, input: { request } }));
      return { started: execution.name };
    },
  });
