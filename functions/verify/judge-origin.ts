import { check, within } from './check-lines.ts';
import type { Inspection } from './inspection.ts';
import type { Manifest } from './manifest.ts';
import type { Check } from './models.ts';

const identitySays = 'It is a copy of this very database.';
const windowSays = 'It shows the database as it was when the backup was taken: nothing older, nothing newer.';

/** The nonce that was put into the live database once and for all. Without anything to compare with, one must at least be there. */
export function judgeIdentity(inspection: Inspection, manifest: Manifest | undefined): Check {
  const findings: string[] = [];
  if (inspection.databases.length === 0) findings.push('the copy has no database to look into');
  for (const database of inspection.databases) {
    if (database.identity === undefined) findings.push(within(inspection, database.name, 'it has no identity: schema codeblue is missing'));
  }
  for (const database of manifest?.databases ?? []) {
    const copy = inspection.databases.find((each) => each.name === database.name);
    if (!copy) findings.push(`database ${database.name} is missing`);
    else if (copy.identity !== undefined && copy.identity !== database.identity) {
      findings.push(within(inspection, database.name, 'it is a copy of another database'));
    }
  }
  return check('identity', identitySays, findings.length === 0 ? 'passed' : 'failed', findings);
}

/**
 * The canary from right after the manifest's snapshot must be in the copy, and the one from after the copy was captured must not. Both are
 * gapless and in commit order, so this brackets the instant of the copy between the two ends of the manifest.
 */
export function judgeWindow(inspection: Inspection, manifest: Manifest | undefined): Check {
  if (!manifest) return check('window', windowSays, 'failed', ['there is no manifest, so nothing says what this copy should show']);
  const findings = manifest.databases.flatMap((database) => {
    const canary = inspection.databases.find((each) => each.name === database.name)?.canary;
    const line = (text: string): string => within(manifest, database.name, text);
    if (!canary?.newest) return [line('it has no canary')];
    const { newest, missing } = canary;
    return [
      ...(newest.seq < database.startCanary.seq
        ? [
            line(
              `it is older than the manifest: its last canary is ${newest.seq} of ${newest.writtenAt}, the manifest begins at ${database.startCanary.seq}`,
            ),
          ]
        : []),
      ...(newest.seq >= database.endCanary.seq
        ? [
            line(
              `it is newer than the manifest: its last canary is ${newest.seq}, the manifest ends at ${database.endCanary.seq}; take a new backup`,
            ),
          ]
        : []),
      ...(missing > 0 ? [line(`${missing} canaries are missing in between`)] : []),
    ];
  });
  return check('window', windowSays, findings.length === 0 ? 'passed' : 'failed', findings);
}

/** Canaries without a gap up to the second that was asked for, and none after it. */
export function judgePointInTime(inspection: Inspection, target: { readonly time: Date; readonly canaryPauseSeconds: number }): Check {
  const findings = inspection.databases.flatMap(({ name, canary }) => {
    const line = (text: string): string => within(inspection, name, text);
    if (!canary?.newest) return [line('it has no canary')];
    const early = (target.time.getTime() - Date.parse(canary.newest.writtenAt)) / 1000;
    return [
      ...(early < 0 ? [line(`its last canary is of ${canary.newest.writtenAt}, after the time that was asked for`)] : []),
      ...(early > target.canaryPauseSeconds ? [line(`its last canary is ${Math.round(early)} s before the time that was asked for`)] : []),
      ...(canary.missing > 0 ? [line(`${canary.missing} canaries are missing`)] : []),
    ];
  });
  if (inspection.databases.length === 0) findings.push('the copy has no database to look into');
  return check(
    'window',
    'It shows the database as it was at the second that was asked for.',
    findings.length === 0 ? 'passed' : 'failed',
    findings,
  );
}
