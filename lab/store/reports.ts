import { InvalidInput } from '../../functions/common/errors.ts';
import type { Region } from '../../functions/common/ids.ts';
import type { Reports } from '../../functions/failover/ports.ts';
import type { Regions } from '../regions.ts';
import { SealedFiles } from './sealed-files.ts';

/** Reports, lists of lost writes and evidence as encrypted files of a region. The content type is what the key's ending says. */
export function labReports(regions: Regions): Reports {
  const filesOf = (region: Region): SealedFiles => new SealedFiles(regions.use(region), 'reports');
  return {
    put: async (region, key, body) => filesOf(region).put(checked(key), body),
    async get(region, key) {
      const found = filesOf(region).get(checked(key));
      return found && new Uint8Array(found);
    },
    list: async (region, prefix) =>
      filesOf(region)
        .allNames()
        .filter((key) => key.startsWith(prefix))
        .sort(),
  };
}

/** Keys become paths: nothing may lead out of the folder. @throws InvalidInput */
function checked(key: string): string {
  if (/^[\w@=.-]+(\/[\w@=.-]+)*$/.test(key) && !key.split('/').includes('..')) return key;
  throw new InvalidInput(`"${key}" cannot be the key of a report`);
}
