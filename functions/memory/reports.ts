import { z } from 'zod';
import type { Reports } from '../failover/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { Base64Bytes, items } from './items.ts';

const Report = z.strictObject({ ...Base64Bytes.shape, contentType: z.string() });

export interface MemoryReports extends Reports, Failable<Reports> {}

export function memoryReports(store: ItemStore): MemoryReports {
  const reports = items(store, 'reports', Report);
  return failable<Reports>({
    async put(region, key, body, contentType) {
      const base64 = Buffer.from(body).toString('base64');
      if (reports.get(`${region}/${key}`)?.value.base64 === base64) return;
      reports.put(`${region}/${key}`, { base64, contentType }, 'absent');
    },
    async get(region, key) {
      const found = reports.get(`${region}/${key}`);
      return found && new Uint8Array(Buffer.from(found.value.base64, 'base64'));
    },
    async list(region, prefix) {
      return store.list('reports', `${region}/${prefix}`).map(({ key }) => key.slice(region.length + 1));
    },
  });
}
