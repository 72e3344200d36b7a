import { z } from 'zod';
import type { Region } from '../common/ids.ts';
import { Timestamp } from '../common/ids.ts';
import type { PublicText } from '../common/personal.ts';

/** One occurrence of a scheduled task, claimed by (task, input key, scheduled time). */
export const Run = z.strictObject({
  task: z.string(),
  /** Distinguishes several schedules of one task (`hms/daily`); empty when there is one. */
  key: z.string(),
  scheduledAt: Timestamp,
  status: z.enum(['running', 'succeeded', 'failed']),
  attempt: z.int().positive(),
  startedAt: Timestamp,
  endedAt: Timestamp.optional(),
  error: z.string().optional(),
});
export type Run = z.output<typeof Run>;

/** "Did it run?" */
export interface Ledger {
  /**
   * Claims an occurrence. False when it already succeeded, or another attempt started less than `staleAfterSeconds` ago
   * and has not ended: two triggers of one occurrence run it once, and a crashed attempt is taken over later.
   */
  claim(run: Pick<Run, 'task' | 'key' | 'scheduledAt'>, now: Date, staleAfterSeconds: number): Promise<boolean>;
  finish(run: Pick<Run, 'task' | 'key' | 'scheduledAt'>, now: Date, error?: string): Promise<void>;
  /** The newest occurrence that succeeded. */
  lastSuccess(task: string, key: string): Promise<Run | undefined>;
}

/** An execution of a machine, by the name that whoever started it gave it. */
export interface ExecutionRef {
  readonly region: Region;
  readonly machine: MachineName;
  /** At most 80 characters; Step Functions remembers it for 90 days. */
  readonly name: string;
}

/** Step Functions executions. Starting one name twice is no error: the first one counts. */
export interface Executions {
  start(request: ExecutionRef & { readonly input: unknown }): Promise<void>;
  /** Undefined when none of that name was started. */
  describe(ref: ExecutionRef): Promise<{ readonly status: 'running' | 'succeeded' | 'failed' } | undefined>;
}

export const machineNames = [
  'verify-recovery-point',
  'verify-state-backup',
  'failover',
  'failback',
  'failover-rehearsal',
  'failover-full-test',
  'recover-database',
  'contain-breach',
  'escalate-incident',
  'run-runbook',
] as const;
export type MachineName = (typeof machineNames)[number];

export interface Metrics {
  /** One data point in namespace `Codeblue/<capability>`; dimension values are ids, never data. */
  put(metric: {
    readonly capability: string;
    readonly name: string;
    readonly value: number;
    readonly unit: 'Seconds' | 'Bytes' | 'Count' | 'None';
    readonly dimensions: Readonly<Record<string, PublicText>>;
  }): Promise<void>;
}

/** Runs a task by name, as its schedule would. */
export interface TaskInvoker {
  invoke(request: { readonly task: string; readonly key: string; readonly input: unknown; readonly scheduledAt: Date }): Promise<void>;
}
