import { partsOfKey } from './evidence-objects.ts';
import type { BreachRecord, ExportedGroup, PreservedDatabase } from './models.ts';

/** What a breach's evidence is, for whoever checks it years later. Keys are those below `reports/` in the evidence bucket. */
export interface EvidenceManifest {
  readonly format: 'codeblue-breach-evidence/1';
  readonly breachId: string;
  readonly region: string;
  readonly declaredAt: string;
  /** Events of `[from, until)`. */
  readonly window: { readonly from: string; readonly until: string | null };
  /** In the order of their numbers, which are the first folder of an object's key. */
  readonly groups: readonly ExportedGroup[];
  readonly objects: readonly { readonly key: string; readonly sha256: string }[];
  readonly databases: readonly PreservedDatabase[];
  readonly gaps: readonly string[];
}

/** @param keys everything that is stored below the breach's logs, ascending */
export function evidenceManifest(
  { request, logs, databases, gaps }: BreachRecord,
  keys: readonly string[],
): { readonly manifest: EvidenceManifest; readonly missing: readonly string[] } {
  const groups = logs?.groups ?? [];
  const pages = new Map<number, Set<number>>();
  const objects = keys.flatMap((key) => {
    const parts = partsOfKey(key);
    if (!parts) return [];
    pages.set(parts.group, (pages.get(parts.group) ?? new Set()).add(parts.page));
    return [{ key, sha256: parts.sha256 }];
  });
  // Two objects can be of one page, when it was read twice. None of a page that was written is a hole.
  const missing = groups.flatMap((group, number) => {
    const there = pages.get(number)?.size ?? 0;
    return there >= group.objects ? [] : [`${group.objects - there} objects of ${group.name} in ${group.region} are not there any more`];
  });
  const { breachId, region, declaredAt, since } = request;
  const manifest: EvidenceManifest = {
    format: 'codeblue-breach-evidence/1',
    ...{ breachId, region, declaredAt, window: { from: since, until: logs?.until ?? null }, groups, objects, databases },
    gaps: [...gaps, ...missing],
  };
  return { manifest, missing };
}
