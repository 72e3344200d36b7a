import type { Manifests } from '../../functions/backup/ports.ts';
import type { Regions } from '../regions.ts';
import { SealedFiles } from './sealed-files.ts';

/** Manifests as encrypted files of each region. */
export function labManifests(regions: Regions): Manifests {
  return {
    put: async (region, id, manifest) => new SealedFiles(regions.use(region), 'manifests').put(id, manifest),
    async get(region, id) {
      const found = new SealedFiles(regions.use(region), 'manifests').get(id);
      return found && new Uint8Array(found);
    },
  };
}
