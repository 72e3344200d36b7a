import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { AuditObjects, Keeping } from '../../audit/ports.ts';
import { after, days } from '../../common/duration.ts';
import { Conflict, InvalidInput, Locked } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import { auditBucketName, tagKeys } from '../../common/names.ts';
import { calling, callingFor, errorNameOf } from '../errors.ts';
import { encryptedPut, immutableObjects, s3In } from '../s3-objects.ts';
import type { AwsSettings } from '../settings.ts';

/** What the next batch replaces by another path is locked for so long. */
const SUPERSEDED_DAYS = 2;

/** A bucket with versions and Object Lock in each Region. What is written here is written to this Region's; what is removed too. */
export function auditObjectsPort({ region, operations, clock }: Pick<AwsSettings, 'region' | 'operations' | 'clock'>): AuditObjects {
  const { mode, days: keptDays } = operations.audit.retention;
  const objects = immutableObjects(operations, (of) => auditBucketName(operations, of));
  const own = { Bucket: auditBucketName(operations, region) };

  const lock = (keeping: Keeping) => ({
    ObjectLockMode: mode === 'compliance' ? ('COMPLIANCE' as const) : ('GOVERNANCE' as const),
    ObjectLockRetainUntilDate: after(clock.now(), days(keeping === 'kept' ? keptDays : SUPERSEDED_DAYS)),
    // S3 wants a checksum with every locked object.
    ChecksumAlgorithm: 'SHA256' as const,
    // The copy in another Region, which no sweeper reaches, loses them by a rule on this tag (lib/audit/log-buckets.ts).
    ...(keeping === 'superseded' ? { Tagging: `${encodeURIComponent(tagKeys.keeping)}=superseded` } : {}),
  });

  async function read(path: string): Promise<{ bytes: Uint8Array; etag: string | undefined } | undefined> {
    return callingFor(`read ${path} in ${region}`, async () => {
      const { Body, ETag } = await s3In(region).send(new GetObjectCommand({ ...own, Key: path }));
      return Body && { bytes: await Body.transformToByteArray(), etag: ETag };
    });
  }

  return {
    get: (of: Region, path) => objects.get(of, path),
    create: (path, bytes, keeping) => objects.put(region, path, bytes, 'application/octet-stream', lock(keeping)),
    async publishCheckpoint(path, note, previous) {
      const stands = await read(path);
      if (!isSame(stands?.bytes, previous)) return false;
      const command = new PutObjectCommand({
        ...{ ...own, Key: path, Body: note, ContentType: 'text/plain; charset=utf-8' },
        ...encryptedPut(operations),
        ...lock('kept'),
        ...(stands ? { IfMatch: stands.etag } : { IfNoneMatch: '*' }),
      });
      try {
        await calling(`publish ${path} in ${region}`, () => s3In(region).send(command));
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        // The SDK repeats a write whose answer was lost, and the repetition is refused: what stands tells.
        return isSame((await read(path))?.bytes, note);
      }
    },
    list: (of, prefix) => objects.each(of, prefix),
    async removeSuperseded(path) {
      if (!/\.p\/\d+$/.test(path)) throw new InvalidInput(`${path} is no partial tile: nothing else is ever removed`);
      const listed = await calling(`list the versions of ${path}`, () =>
        s3In(region).send(new ListObjectVersionsCommand({ ...own, Prefix: path })),
      );
      const versions = [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])].filter(({ Key }) => Key === path);
      for (const { VersionId } of versions) await removeVersion(path, VersionId);
    },
  };

  async function removeVersion(path: string, VersionId: string | undefined): Promise<void> {
    const version = { ...own, Key: path, VersionId };
    await calling(`remove ${path} in ${region}`, async () => {
      try {
        await s3In(region).send(new DeleteObjectCommand(version));
      } catch (error) {
        if (errorNameOf(error) !== 'AccessDenied') throw error;
        // S3 says the same of a lock and of a permission that is missing.
        const { Retention } = await s3In(region).send(new GetObjectRetentionCommand(version));
        const until = Retention?.RetainUntilDate;
        if (until && until > clock.now()) throw new Locked(`${path} is locked until ${until.toISOString()}`, { cause: error });
        throw error;
      }
    });
  }
}

const isSame = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
  one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0;
