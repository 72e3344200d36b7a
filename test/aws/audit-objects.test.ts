import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { auditObjectsPort } from '../../functions/aws/audit/objects.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { awsSettings } from '../support/aws-settings.ts';
import { testOperations } from '../support/operations.ts';

const s3 = mockClient(S3Client);
const bytes = (text: string) => new TextEncoder().encode(text);
const failing = (name: string) => Object.assign(new Error(name), { name });
const standing = (text: string) => ({ ETag: '"e-1"', Body: { transformToByteArray: async () => bytes(text) } }) as never;
const asked = () => s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input);
const inYears = (years: number) => new Date(Date.UTC(2026 + years, 10, 21, 7));

/** moto lets anybody shorten a lock and asks for no checksum: what S3 is asked for is looked at here. */
describe("the log's objects in S3", () => {
  beforeEach(() => {
    s3.reset();
    s3.on(PutObjectCommand).resolves({});
  });

  it('are locked in compliance mode for seven years, encrypted, with a checksum, and only where nothing is', async () => {
    await auditObjectsPort(awsSettings()).create('1/tile/0/000', bytes('hashes'), 'kept');
    expect(asked()).toEqual([
      expect.objectContaining({
        ...{ Bucket: 'hms-codeblue-audit-111122223333-us-east-1', Key: '1/tile/0/000', IfNoneMatch: '*', ChecksumAlgorithm: 'SHA256' },
        ...{ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/hms-codeblue-backup', ObjectLockMode: 'COMPLIANCE' },
      }),
    ]);
    const until = asked()[0]?.ObjectLockRetainUntilDate;
    expect(until && Math.abs(until.getTime() - inYears(7).getTime())).toBeLessThanOrEqual(86_400_000);
  });

  it('that the next batch replaces are locked for two days, in the mode of the config', async () => {
    const { audit } = testOperations();
    const operations = testOperations({ audit: { ...audit, retention: { mode: 'governance', days: 30 } } });
    await auditObjectsPort(awsSettings(operations)).create('1/tile/0/000.p/7', bytes('hashes'), 'superseded');
    expect(asked()).toMatchObject([{ ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date('2026-11-23T07:00:00Z') }]);
    // Marked for the copy in another Region, where no sweeper reaches them.
    expect(asked()).toMatchObject([{ Tagging: 'codeblue%3Akeeping=superseded' }]);
  });

  it('publish a checkpoint over the version that was read, and lock it', async () => {
    s3.on(GetObjectCommand).resolves(standing('one'));
    expect(await auditObjectsPort(awsSettings()).publishCheckpoint('1/checkpoint', bytes('two'), bytes('one'))).toBe(true);
    expect(asked()).toMatchObject([{ IfMatch: '"e-1"', ObjectLockMode: 'COMPLIANCE', ChecksumAlgorithm: 'SHA256' }]);
    expect(asked()[0]).not.toHaveProperty('IfNoneMatch');
  });

  it.each([
    ['two', true],
    ['of another', false],
  ])('after a refused write "%s" stands: published is %s', async (stands, published) => {
    s3.on(GetObjectCommand).resolvesOnce(standing('one')).resolves(standing(stands));
    s3.on(PutObjectCommand).rejects(failing('PreconditionFailed'));
    expect(await auditObjectsPort(awsSettings()).publishCheckpoint('1/checkpoint', bytes('two'), bytes('one'))).toBe(published);
  });

  it('tell nothing of a write that nobody answered', async () => {
    s3.on(GetObjectCommand).rejects(failing('NoSuchKey'));
    s3.on(PutObjectCommand).rejects(failing('TimeoutError'));
    await expect(auditObjectsPort(awsSettings()).publishCheckpoint('1/checkpoint', bytes('one'), undefined)).rejects.toThrow(
      ServiceUnavailable,
    );
  });
});
