import type { Manifests } from '../backup/ports.ts';
import type { ItemStore } from './item-store.ts';
import { Base64Bytes, items } from './items.ts';

export function memoryManifests(store: ItemStore): Manifests {
  const manifests = items(store, 'manifests', Base64Bytes);
  return {
    async put(region, id, manifest) {
      const key = `${region}/${id}`;
      const base64 = Buffer.from(manifest).toString('base64');
      if (manifests.get(key)?.value.base64 === base64) return;
      manifests.put(key, { base64 }, 'absent');
    },
    async get(region, id) {
      const found = manifests.get(`${region}/${id}`);
      return found && new Uint8Array(Buffer.from(found.value.base64, 'base64'));
    },
  };
}
