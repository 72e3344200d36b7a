import * as autoScaling from '@aws-sdk/client-auto-scaling';
import * as backup from '@aws-sdk/client-backup';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as ecs from '@aws-sdk/client-ecs';
import * as kms from '@aws-sdk/client-kms';
import * as lambda from '@aws-sdk/client-lambda';
import * as rds from '@aws-sdk/client-rds';
import * as recoveryCluster from '@aws-sdk/client-route53-recovery-cluster';
import * as s3 from '@aws-sdk/client-s3';
import * as secretsManager from '@aws-sdk/client-secrets-manager';
import * as sfn from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { calling, callingFor, classByErrorName, toCodeblueError } from '../../functions/aws/errors.ts';
import { Conflict, InvalidInput, NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';

/** An error as the SDK throws it. */
function sdkError(name: string, httpStatusCode = 400): Error {
  return Object.assign(new Error('said AWS'), { name, $metadata: { httpStatusCode } });
}

describe('errors of the SDK', () => {
  it.each([
    ['DBInstanceNotFoundFault', 404, NotFound],
    ['NoSuchKey', 404, NotFound],
    ['ConditionalCheckFailedException', 400, Conflict],
    ['PreconditionFailed', 412, Conflict],
    ['ReplicatedWriteConflictException', 400, Conflict],
    ['ThrottlingException', 400, ServiceUnavailable],
    ['Throttling', 400, ServiceUnavailable],
    ['SnapshotQuotaExceededFault', 400, ServiceUnavailable],
    ['InvalidDBInstanceStateFault', 400, ServiceUnavailable],
    ['AccessDeniedException', 400, InvalidInput],
    ['KMSKeyNotAccessibleFault', 400, InvalidInput],
    ['SomethingNobodyHasHeardOf', 503, ServiceUnavailable],
    ['SomethingNobodyHasHeardOf', 429, ServiceUnavailable],
    ['SomethingNobodyHasHeardOf', 400, InvalidInput],
  ])('%s with HTTP %i', (name, status, expected) => {
    const original = sdkError(name, status);
    const error = toCodeblueError(original, 'copy snapshot cb-1');
    expect(error).toBeInstanceOf(expected);
    expect(error.message).toBe(`copy snapshot cb-1: ${name}: said AWS`);
    expect(error.cause).toBe(original);
  });

  it('a refused connection may pass', () => {
    expect(toCodeblueError(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'x').retryable).toBe(true);
  });

  it('a missing permission says what to do', () => {
    expect(toCodeblueError(sdkError('AccessDeniedException'), 'x').hint).toContain('permission');
  });

  it('our own errors stay what they are', async () => {
    const own = new NotFound('gone');
    await expect(calling('x', () => Promise.reject(own))).rejects.toBe(own);
  });

  it('what is absent is undefined to callingFor, and nothing else is', async () => {
    expect(await callingFor('x', () => Promise.reject(sdkError('NoSuchKey', 404)))).toBeUndefined();
    await expect(callingFor('x', () => Promise.reject(sdkError('AccessDenied', 403)))).rejects.toThrow(InvalidInput);
  });

  it('names no fault or exception that the SDK does not have: a misspelt one would never match', () => {
    const known = new Set(
      [autoScaling, backup, dynamodb, ecs, kms, lambda, rds, recoveryCluster, s3, secretsManager, sfn].flatMap((client) =>
        Object.keys(client),
      ),
    );
    // Codes that services send without an exception of their own in the model.
    const unmodelled = ['ThrottlingException', 'RequestLimitExceededException', 'InternalServerException', 'ServiceException'];
    const named = [...classByErrorName.keys()].filter((name) => /(Fault|Exception)$/.test(name) && !unmodelled.includes(name));
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});
