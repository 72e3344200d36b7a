import type { Manifests } from '../backup/ports.ts';
import type { RecoveryPointId } from '../common/ids.ts';
import { immutableObjects } from './s3-objects.ts';
import type { AwsSettings } from './settings.ts';

export function manifestsPort({ operations }: AwsSettings): Manifests {
  const objects = immutableObjects(operations);
  const keyOf = (id: RecoveryPointId) => `manifests/${id}`;
  return {
    put: (region, id, manifest) => objects.put(region, keyOf(id), manifest, 'application/octet-stream'),
    get: (region, id) => objects.get(region, keyOf(id)),
  };
}
