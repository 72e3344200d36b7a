import { formatSeconds, minutes, seconds, secondsBetween } from '../../../common/duration.ts';
import { messageOf } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { type FailoverPlan, FailoverRecord } from '../../models.ts';
import { enterPhase } from '../../report/phases.ts';
import { capacityOf } from '../capacity-of.ts';
import { act, found, freshStanding, pastItsEpoch, withShortfall } from './failover-step.ts';

/** After this long what is missing is reported, and people are told of the rest. */
const strengthLimit = minutes(15);

/**
 * One look at what runs and answers in the new Region; the machine comes back until all of it does, or the limit is reached. What was never asked for, because
 * the call was lost, is asked for again.
 */
export const awaitStrength = defineStep({
  name: 'await-strength',
  summary: 'Looks whether the services of the new Region run at full strength.',
  timeout: seconds(30),
  needs: ['coordination:read', 'capacity:scale', 'probes:http'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, clock } = context;
    const { plan } = record;
    const standing = await freshStanding(coordination, record);
    if (standing !== 'leads') return pastItsEpoch(record, standing);
    const [weak, silent] = await Promise.all([notAtStrength(record, context), notServing(plan, context)]);
    const now = timestamp(clock.now());
    const serves = silent.length === 0 && record.servingAt === undefined;
    const seen: FailoverRecord = {
      ...(serves ? enterPhase(record, 'strength', clock.now()) : record),
      ...(silent.length === 0 ? { servingAt: record.servingAt ?? now } : {}),
      ...(weak.length === 0 ? { atStrengthAt: record.atStrengthAt ?? now } : {}),
    };
    const missing = [...weak, ...silent];
    if (missing.length === 0) return found(seen, 'at-strength', `everything runs at full strength in ${plan.to}`);
    const waited = secondsBetween(new Date(record.confirmedAt ?? plan.requestedAt), clock.now());
    if (waited < strengthLimit) return found(seen, 'waiting', missing.join('; '));
    const reported = missing.reduce((so, says) => withShortfall(so, `after ${formatSeconds(waited)}: ${says}`), seen);
    return found(reported, 'at-strength', `goes on without: ${missing.join('; ')}`);
  },
});

async function notAtStrength(
  record: FailoverRecord,
  context: Pick<Ports, 'auditLog' | 'capacity'> & TaskContext,
): Promise<readonly string[]> {
  const { capacity, operations } = context;
  const looks = capacityOf(operations, record.plan.to).map(async ({ target, active }) => {
    try {
      const { wanted, running } = await capacity.describe(target);
      if (wanted < active) {
        const resource = `capacity/${target.name}/${target.region}`;
        await act(context, record, { action: 'scale', resource, details: { atLeast: active } }, () =>
          capacity.scale(target, active, 'at-least'),
        );
      }
      return running >= active ? [] : [`${target.name} runs ${running} of ${active}`];
    } catch (error) {
      return [`${target.name} cannot be looked at: ${messageOf(error)}`];
    }
  });
  return (await Promise.all(looks)).flat();
}

async function notServing({ to }: FailoverPlan, { probes, operations }: Pick<Ports, 'probes'> & TaskContext): Promise<readonly string[]> {
  const { services, observe } = operations.failover;
  const looks = services.flatMap(({ name, critical, health }) => {
    const url = health[to];
    return critical && url !== undefined ? [{ name, url }] : [];
  });
  const answers = looks.map(async ({ name, url }) => {
    const { ok, says } = await probes.http(url, observe.timeout);
    return ok ? [] : [`${name} does not answer: ${says}`];
  });
  return (await Promise.all(answers)).flat();
}
