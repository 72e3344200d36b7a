import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncidentPolicy } from '../../common/incident-policy.ts';

export type Integration = IncidentPolicy['integrations'][number];

/** Whose key this is. Compared by digests of one length, all of them, in a time that tells nothing about how near a guess came. */
export function integrationOf(key: string, kind: Integration['kind'], integrations: readonly Integration[]): Integration | undefined {
  const digest = createHash('sha256').update(key).digest();
  return integrations.filter((each) => timingSafeEqual(digest, Buffer.from(each.keySha256, 'hex')) && each.kind === kind)[0];
}
