import { z } from 'zod';
import { minutes } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import type { PortsFor } from '../../common/ports.ts';
import { repeatedly } from '../../common/repeatedly.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { WitnessesMissing } from '../errors.ts';
import { sequenceOnce } from './sequence.ts';
import { type Sequenced, sequencerMemory } from './sequencer.ts';

/** An event waits for half of it on average before a pass sees it: integrated within two seconds, with what the pass itself takes. */
const everySeconds = 0.5;

const sequencerNeeds = [
  'audit-head:read',
  'audit-head:write',
  'audit-queue:read',
  'audit-queue:settle',
  'audit-objects:read',
  'audit-objects:append',
  'checkpoint-signer:sign',
  'checkpoint-signer:public-key',
  'witnesses:cosign',
] as const;
type SequencerContext = PortsFor<(typeof sequencerNeeds)[number]> & TaskContext;

/**
 * Takes what was recorded into the log of its Region (ADR 10). A run loops until a younger one has written its beginning into the head, which saves that two do the same work; several at
 * once are safe.
 */
export const sequenceAuditLog = defineTask({
  name: 'sequence-audit-log',
  summary: 'Takes recorded audit events into the tamper-evident log of its Region, and publishes a signed checkpoint.',
  schedule: every(minutes(1)),
  runsIn: 'every',
  catchUp: false,
  timeout: minutes(3),
  needs: sequencerNeeds,
  input: z.strictObject({}),
  async run(_, context) {
    const { clock, log, deadline } = context;
    const memory = sequencerMemory({ run: timestamp(clock.now()) });
    const total = { events: 0, failures: 0 };
    let lastFailure: unknown;
    const passes = await repeatedly({ clock, log, deadline }, everySeconds, async () => {
      try {
        const pass = await sequenceOnce(context, memory);
        total.events += pass.events;
        await tell(pass, context);
        return pass.did === 'relieved';
      } catch (error) {
        total.failures++;
        lastFailure = error;
        await count(metricNames.audit.sequencingFailed, 1, context);
        if (error instanceof WitnessesMissing) await count(metricNames.audit.cosignaturesLate, 1, context);
        throw error; // `repeatedly` writes it down, and the next pass goes on where this one stopped
      }
    });
    if (total.failures === 0) await count(metricNames.audit.sequencingFailed, 0, context);
    if (passes > 0 && total.failures === passes) throw lastFailure;
    return { passes, ...total };
  },
});

async function tell(pass: Sequenced, context: SequencerContext): Promise<void> {
  const { did, events, seconds, waiting, lateWitnesses, witnessesSay } = pass;
  const { metrics, region, log } = context;
  if (witnessesSay) log.warn('witnesses did not cosign what is published', { why: witnessesSay.join('; ') });
  if (did === 'lost-race') await count(metricNames.audit.sequencerRacesLost, 1, context);
  if (waiting > 0) await count(metricNames.audit.eventsWaiting, waiting, context);
  if (lateWitnesses > 0) await count(metricNames.audit.cosignaturesLate, lateWitnesses, context);
  if (events > 0) await count(metricNames.audit.eventsIntegrated, events, context);
  if (seconds === undefined) return;
  await metrics.put({
    capability: 'audit',
    name: metricNames.audit.integrationSeconds,
    value: seconds,
    unit: 'Seconds',
    dimensions: { Region: region },
  });
}

const count = (name: string, value: number, { metrics, region }: SequencerContext): Promise<void> =>
  metrics.put({ capability: 'audit', name, value, unit: 'Count', dimensions: { Region: region } });
