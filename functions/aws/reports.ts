import type { Reports } from '../failover/ports.ts';
import { immutableObjects } from './s3-objects.ts';
import type { AwsSettings } from './settings.ts';

/** Objects below `reports/` in a Region's evidence bucket: written once, under Object Lock and the Region's backup key. */
export function reportsPort({ operations }: Pick<AwsSettings, 'operations'>): Reports {
  const objects = immutableObjects(operations);
  const prefix = 'reports/';
  return {
    put: (region, key, body, contentType) => objects.put(region, `${prefix}${key}`, body, contentType),
    get: (region, key) => objects.get(region, `${prefix}${key}`),
    async list(region, below) {
      const keys = await objects.list(region, `${prefix}${below}`);
      return keys.map((key) => key.slice(prefix.length));
    },
  };
}
