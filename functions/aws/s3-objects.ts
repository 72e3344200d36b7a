import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { Conflict } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { backupKeyAlias, bucketName, type Deployment } from '../common/names.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, callingFor } from './errors.ts';

export const s3In = perRegion((region) => new S3Client(clientOptions(region)));

/** How every object is encrypted: under the backup key of the Region that it lies in. */
export const encryptedPut = (deployment: Deployment) => ({
  ServerSideEncryption: 'aws:kms' as const,
  SSEKMSKeyId: backupKeyAlias(deployment),
  BucketKeyEnabled: true,
});

type ObjectLock = Pick<PutObjectCommandInput, 'ObjectLockMode' | 'ObjectLockRetainUntilDate' | 'ChecksumAlgorithm' | 'Tagging'>;

/** Objects that are written once, and encrypted. @param bucketIn name of the bucket in a Region; the deployment's own where it is left out */
export function immutableObjects(deployment: Deployment, bucketIn = (region: Region) => bucketName(deployment, region)) {
  const at = (region: Region, key: string) => ({ Bucket: bucketIn(region), Key: key });

  /** Keys that begin with `prefix`, ascending (S3 lists them in the order of their UTF-8 bytes), a page at a time. */
  async function* each(region: Region, prefix: string): AsyncGenerator<string> {
    const query = { Bucket: bucketIn(region), Prefix: prefix };
    const pages = paginateListObjectsV2({ client: s3In(region) }, query)[Symbol.asyncIterator]();
    for (;;) {
      const page = await calling(`list ${prefix} in ${region}`, () => pages.next());
      if (page.done) return;
      yield* (page.value.Contents ?? []).flatMap(({ Key }) => Key ?? []);
    }
  }

  async function get(region: Region, key: string): Promise<Uint8Array | undefined> {
    return callingFor(`read ${key} in ${region}`, async () => {
      const { Body } = await s3In(region).send(new GetObjectCommand(at(region, key)));
      return Body?.transformToByteArray();
    });
  }

  return {
    get,
    each,
    list: (region: Region, prefix: string): Promise<readonly string[]> => Array.fromAsync(each(region, prefix)),
    /** Storing the same bytes again is no error. @throws Conflict when other bytes are stored under that key */
    async put(region: Region, key: string, bytes: Uint8Array, contentType: string, lock: ObjectLock = {}): Promise<void> {
      const command = new PutObjectCommand({
        ...at(region, key),
        Body: bytes,
        ContentType: contentType,
        ...encryptedPut(deployment),
        ...lock,
        IfNoneMatch: '*',
      });
      try {
        await calling(`write ${key} in ${region}`, () => s3In(region).send(command));
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const stored = await get(region, key);
        if (stored === undefined) throw error; // another write of it is under way: neither stored nor refused yet
        if (Buffer.compare(stored, bytes) === 0) return;
        throw new Conflict(`${key} in ${region} is stored already with other content; it is immutable`, { cause: error });
      }
    },
  };
}
