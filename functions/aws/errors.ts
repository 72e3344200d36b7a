import { CodeblueError, Conflict, InvalidInput, NotFound, ServiceUnavailable } from '../common/errors.ts';

type ErrorClass = new (message: string, facts?: { hint?: string; cause?: unknown }) => CodeblueError;

/**
 * Error names of the SDK (exceptions of the service model, and codes that services return without modelling them) and what
 * they mean to Codeblue. A name that stands in no list is passed on by its HTTP status: 5xx and 429 may pass, others do not.
 */
const meanings: readonly (readonly [ErrorClass, readonly string[]])[] = [
  [
    NotFound,
    [
      ...['DBInstanceNotFoundFault', 'DBInstanceNotFound', 'DBClusterNotFoundFault', 'DBSnapshotNotFoundFault', 'DBSnapshotNotFound'],
      ...['DBClusterSnapshotNotFoundFault', 'DBSubnetGroupNotFoundFault', 'ResourceNotFoundException', 'ResourceNotFoundFault'],
      ...['NoSuchKey', 'NoSuchBucket', 'NotFound', 'NotFoundException', 'StateMachineDoesNotExist', 'ExecutionDoesNotExist'],
      ...['TableNotFoundException', 'BackupNotFoundException', 'GlobalClusterNotFoundFault', 'ServiceNotFoundException'],
      ...['ClusterNotFoundException', 'InvalidGroup.NotFound'],
    ],
  ],
  [
    Conflict,
    [
      ...['ConditionalCheckFailedException', 'TransactionConflictException', 'PreconditionFailed', 'ConditionalRequestConflict'],
      // Of a table with multi-Region strong consistency: another Region wrote the item at the same time. Safe to repeat only after a read.
      'ReplicatedWriteConflictException',
    ],
  ],
  [
    ServiceUnavailable,
    [
      // Throttling.
      ...['ThrottlingException', 'Throttling', 'TooManyRequestsException', 'RequestLimitExceeded', 'SlowDown'],
      ...['ProvisionedThroughputExceededException', 'RequestLimitExceededException'],
      // A limit that frees itself when running work ends: snapshot copies, table restores, DynamoDB control plane calls.
      ...[
        'SnapshotQuotaExceededFault',
        'SnapshotQuotaExceeded',
        'LimitExceededException',
        'InstanceQuotaExceededFault',
        'InstanceQuotaExceeded',
      ],
      ...['InsufficientDBInstanceCapacityFault', 'InsufficientDBInstanceCapacity', 'InsufficientDBClusterCapacityFault'],
      // A state that passes: "instance is backing up", "snapshot is being copied", "backup in progress", "secret not ready".
      ...['InvalidDBInstanceStateFault', 'InvalidDBInstanceState', 'InvalidDBClusterStateFault', 'InvalidDBSnapshotStateFault'],
      ...[
        'InvalidDBSnapshotState',
        'InvalidDBClusterSnapshotStateFault',
        'BackupInUseException',
        'TableInUseException',
        'ResourceInUseException',
      ],
      ...[
        'InvalidGlobalClusterStateFault',
        'ScalingActivityInProgressFault',
        'ResourceContentionFault',
        'EndpointTemporarilyUnavailableException',
      ],
      ...['ContinuousBackupsUnavailableException', 'KMSInternalException', 'DependencyTimeoutException', 'KeyUnavailableException'],
      // The way there.
      ...[
        'TimeoutError',
        'NetworkingError',
        'ECONNREFUSED',
        'ECONNRESET',
        'ENOTFOUND',
        'EAI_AGAIN',
        'RequestTimeout',
        'ServiceUnavailable',
      ],
      ...['InternalServerError', 'InternalServerException', 'InternalFailure', 'InternalError', 'ServiceException'],
    ],
  ],
];

/** Which of our classes each name becomes. */
export const classByErrorName: ReadonlyMap<string, ErrorClass> = new Map(
  meanings.flatMap(([errorClass, names]) => names.map((name) => [name, errorClass] as const)),
);

const hints: Readonly<Record<string, string>> = {
  AccessDeniedException: 'The role lacks a permission, or a key policy does not let it use the key.',
  AccessDenied: 'The role lacks a permission, or a key policy does not let it use the key.',
  ExpiredTokenException: 'The credentials have expired: sign in again.',
  CredentialsProviderError: 'No credentials were found: sign in, or set AWS_PROFILE.',
  KMSKeyNotAccessibleFault: 'The key is disabled, or its policy does not let the role and RDS use it.',
  SnapshotQuotaExceededFault: 'Remove manual snapshots or raise the quota "Manual DB instance snapshots".',
};

/** The SDK's name of an error; codes of Node's network errors count as names. */
export function errorNameOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
};

/** An error of the SDK as one of ours. @param doing names the call and the thing: `copy snapshot cb-… to us-west-2` */
export function toCodeblueError(error: unknown, doing: string): CodeblueError {
  if (error instanceof CodeblueError) return error;
  const name = errorNameOf(error);
  const status = statusOf(error) ?? 0;
  const passes = status >= 500 || status === 429;
  const errorClass: ErrorClass = classByErrorName.get(name) ?? (passes ? ServiceUnavailable : InvalidInput);
  const text = error instanceof Error ? error.message : String(error);
  const hint = hints[name];
  return new errorClass(`${doing}: ${name || 'error'}: ${text}`, { cause: error, ...(hint ? { hint } : {}) });
}

/** Runs an SDK call; what it throws becomes an error of ours. */
export async function calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toCodeblueError(error, doing);
  }
}

/** The same, with undefined when the named thing does not exist. */
export async function callingFor<T>(doing: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await calling(doing, call);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
