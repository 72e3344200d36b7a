import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { Conflict } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { backupKeyAlias, bucketName, type Deployment } from '../common/names.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, callingFor } from './errors.ts';

const s3In = perRegion((region) => new S3Client(clientOptions(region)));

/** Objects of the deployment's bucket in a Region: written once, encrypted under the Region's backup key. */
export function immutableObjects(deployment: Deployment) {
  const at = (region: Region, key: string) => ({ Bucket: bucketName(deployment, region), Key: key });

  async function get(region: Region, key: string): Promise<Uint8Array | undefined> {
    return callingFor(`read ${key} in ${region}`, async () => {
      const { Body } = await s3In(region).send(new GetObjectCommand(at(region, key)));
      return Body?.transformToByteArray();
    });
  }

  return {
    get,
    /** Keys that begin with `prefix`, ascending (S3 lists them in the order of their UTF-8 bytes). */
    async list(region: Region, prefix: string): Promise<readonly string[]> {
      return calling(`list ${prefix} in ${region}`, async () => {
        const keys: string[] = [];
        const query = { Bucket: bucketName(deployment, region), Prefix: prefix };
        for await (const page of paginateListObjectsV2({ client: s3In(region) }, query)) {
          keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
        }
        return keys;
      });
    },
    /** Storing the same bytes again is no error. @throws Conflict when other bytes are stored under that key */
    async put(region: Region, key: string, bytes: Uint8Array, contentType: string): Promise<void> {
      const command = new PutObjectCommand({
        ...at(region, key),
        Body: bytes,
        ContentType: contentType,
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: backupKeyAlias(deployment),
        BucketKeyEnabled: true,
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
