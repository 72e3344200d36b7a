import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { InvalidInput } from '../../functions/common/errors.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { AnyOperation } from '../../functions/common/task.ts';

/** `application`: what runs. `backup`: what touches backups and restored copies. `audit`: who did what, and the network's record. */
export type LogClass = keyof Operations['logRetentionDays'];

const touchesBackups = /^(databases|snapshot-integrity|recovery-points|manifests|proofs|signer|state-backups|vault):/;

/** The class of an operation's log, from what it may do. */
export const logClassOf = ({ needs }: AnyOperation): LogClass =>
  needs.some((need: string) => touchesBackups.test(need)) ? 'backup' : 'application';

const allowedDays = Object.values(RetentionDays).filter((days) => typeof days === 'number');

/** @throws InvalidInput when CloudWatch Logs does not know that number of days */
export function logRetention(operations: Operations, logClass: LogClass): RetentionDays {
  const wanted = operations.logRetentionDays[logClass];
  const known = allowedDays.find((days) => days === wanted);
  if (known !== undefined) return known;
  throw new InvalidInput(`logRetentionDays.${logClass} is ${wanted}, which CloudWatch Logs does not offer`, {
    hint: `It offers ${allowedDays.filter((days) => days !== RetentionDays.INFINITE).join(', ')}.`,
  });
}
