import type { Database, Operations } from '../functions/common/operations.ts';
import { type ConfigProblem, formatPath, formatValue } from './invalid-config.ts';

/** The parts of a config that parsed; a broken one is undefined and the rules that need it wait until it is mended. */
export interface Checked {
  readonly account: string | undefined;
  readonly regions: Operations['regions'] | undefined;
  readonly timeZone: string | undefined;
  readonly verification: Operations['verification'] | undefined;
  readonly canary: Operations['canary'] | undefined;
  readonly vaultLock: Operations['vaultLock'] | undefined;
  readonly logRetentionDays: Operations['logRetentionDays'] | undefined;
  readonly failover: Operations['failover'] | undefined;
  readonly changeWindows: Operations['changeWindows'] | undefined;
  readonly incidents: Operations['incidents'] | undefined;
  readonly audit: Operations['audit'] | undefined;
  readonly databases: readonly (Database | undefined)[];
}

export type Rule = (config: Checked) => readonly ConfigProblem[];
export type DatabaseRule = (database: Database, at: readonly PropertyKey[], config: Checked) => readonly ConfigProblem[];

export const problem = (path: readonly PropertyKey[], got: unknown, wanted: string, change: string): ConfigProblem => ({
  path: formatPath(path),
  got: formatValue(got),
  wanted,
  change,
});

/** Values that occur before, each with the index of its repetition. */
export const repeated = (values: readonly string[]) =>
  values.flatMap((value, index) => (values.indexOf(value) < index ? [{ value, index }] : []));
