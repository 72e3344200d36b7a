import { z } from 'zod';
import { Timestamp } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import { type FailoverPlan, FailoverRecord } from '../models.ts';
import type { Reports } from '../ports.ts';
import { failoverKey } from '../report/report-keys.ts';

/** Where the history of an epoch begins: `pg_current_snapshot()` of each database before its first write. */
const Beginning = z.strictObject({ at: Timestamp, snapshots: FailoverRecord.shape.snapshots.unwrap() });
export type Beginning = z.output<typeof Beginning>;

const keyOf = ({ epoch }: Pick<FailoverPlan, 'epoch'>): string => failoverKey(epoch, 'beginning.json');

export async function readBeginning(reports: Reports, plan: Pick<FailoverPlan, 'epoch' | 'to'>): Promise<Beginning | undefined> {
  const stored = await reports.get(plan.to, keyOf(plan));
  return stored && parseAs(Beginning, JSON.parse(Buffer.from(stored).toString('utf8')), `where epoch ${plan.epoch} begins`);
}

export async function writeBeginning(reports: Reports, plan: Pick<FailoverPlan, 'epoch' | 'to'>, beginning: Beginning): Promise<void> {
  await reports.put(plan.to, keyOf(plan), Buffer.from(`${JSON.stringify(beginning)}\n`), 'application/json');
}
