import { minutes } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { RehearsalRecord } from '../models.ts';
import { found, stopped, whyStop } from './rehearsal-step.ts';

/** A drill begins only while nothing is wrong and every replica that a failover would need is there. */
export const lookAtLiveSystem = defineStep({
  name: 'look-at-live-system',
  summary: 'Looks whether the live system is well enough to rehearse beside it.',
  network: 'production',
  timeout: minutes(1),
  needs: ['coordination:read', 'replicas:describe', 'fences:observe'],
  input: RehearsalRecord,
  async run(record, context) {
    const { replicas, operations } = context;
    const { region } = record.request;
    if (region !== context.region) return stopped(record, `a rehearsal for ${region} was started in ${context.region}`);
    for (const { id } of operations.databases) {
      const state = await replicas.describe(id, region);
      if (state.role !== 'replica' || state.status !== 'available') {
        return stopped(record, `${id} has no replica in ${region} that a failover could promote: ${state.role}, ${state.says}`);
      }
    }
    const because = await whyStop(context, record);
    return because === undefined ? found(record, 'well', 'nothing is wrong with the live system') : stopped(record, because);
  },
});
