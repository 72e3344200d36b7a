import { seconds, secondsBetween } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { standingOf } from '../../leadership/standing.ts';
import { stopSign } from '../../leadership/stop-sign.ts';
import { FailoverRecord, type FenceReceipt } from '../../models.ts';
import { enterPhase } from '../../report/phases.ts';
import { closedPositions } from '../loss.ts';
import { found, pastItsEpoch } from './failover-step.ts';

/** One look stays this long, polling for the receipt of the old primary's guardian. */
const lookSeconds = 5;
const pollMilliseconds = 500;

/**
 * Waits until the old primary cannot write any more: its own guardian says that it closed (`FenceReceipt`), or the old lease has run out.
 *
 * What it waits it measures from its own first clock reading to its own last, and takes that off `fenceWaitSeconds`: no clock of two machines
 * is compared, and a look that is cut off counts for nothing. Where not every table was fenced a lease that ran out proves nothing, and a human
 * must say that the old primary is off. A planned change demands the receipt: without it the old primary is not well. So does a replacement, or else a human: the
 * database that is replaced answers to the same guardians under the name that the copy gets, and must know that it was closed for good.
 */
export const awaitFence = defineStep({
  name: 'await-fence',
  summary: 'Waits until the old primary cannot write any more.',
  timeout: seconds(30),
  needs: ['coordination:read'],
  input: FailoverRecord,
  async run(record, { coordination, operations, clock }) {
    const { plan } = record;
    const current = await coordination.read();
    const standing = standingOf(current, plan);
    if (standing === 'promoting') return found(record, 'committed', `epoch ${plan.epoch} is being promoted for this plan already`);
    if (standing !== 'claimed') return pastItsEpoch(record, standing);
    const stopped = await stopSign({ coordination, clock });
    if (stopped !== undefined) return found(record, 'refused', stopped);
    if (!current?.fenced && record.fenced !== 'by-human') {
      return found(record, 'unfenced', `not every table in ${plan.from} is fenced: a human must see to it that it is off`);
    }
    const { length, margin } = operations.failover.lease;
    const toWait = record.fenceWaitSeconds ?? length + margin;
    const startedAt = clock.now();
    const waited = () => secondsBetween(startedAt, clock.now());
    for (;;) {
      const receipt = await coordination.receipt(plan.from, plan.epoch);
      const left = Math.max(0, toWait - waited());
      const looked = { ...record, fenceWaitSeconds: Math.ceil(left * 1000) / 1000 };
      if (receipt) return fencedByReceipt(looked, receipt, clock.now());
      if (left === 0 || (record.fenced === 'by-human' && plan.kind !== 'switchover')) return withoutReceipt(looked, clock.now());
      if (waited() >= lookSeconds) return found(looked, 'waiting', `the old lease may run for another ${Math.ceil(left)} s`);
      await clock.sleep(Math.min(pollMilliseconds, Math.ceil(left * 1000)));
    }
  },
});

function fencedByReceipt(record: FailoverRecord, receipt: FenceReceipt, now: Date): FailoverRecord {
  const says = `${receipt.region} says that its databases are closed since ${receipt.at}`;
  return { ...enterPhase(found(record, 'fenced', says), 'measure', now), fenced: 'by-receipt', lastKnown: [...closedPositions(receipt)] };
}

function withoutReceipt(record: FailoverRecord, now: Date): FailoverRecord {
  const { kind, from } = record.plan;
  if (kind === 'switchover') return found(record, 'refused', `${from} did not close its databases, and a planned change wants to see that`);
  if (kind === 'replace' && record.fenced !== 'by-human') {
    return found(
      record,
      'unfenced',
      `the databases in ${from} did not say that they are closed: a human must see to it that the damaged one is off`,
    );
  }
  const fenced = record.fenced ?? 'by-expiry';
  const says = fenced === 'by-human' ? `a human says that ${from} is off` : `the last lease of ${from} has run out`;
  return { ...enterPhase(found(record, 'fenced', says), 'measure', now), fenced };
}
