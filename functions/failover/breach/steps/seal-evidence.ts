import { canonicalText } from '../../../common/canonical-json.ts';
import { minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { sha256Hex } from '../../../verify/proof.ts';
import { evidenceManifest } from '../evidence-manifest.ts';
import { logsPrefix, manifestKey } from '../evidence-objects.ts';
import { BreachRecord } from '../models.ts';
import { act, found, withGaps } from './breach-step.ts';

/**
 * Writes down what the evidence is: every object with its SHA-256, every group with its counts, every snapshot. The manifest's own SHA-256 goes into the audit log and
 * to people, so that whoever has that one number can check all of it. The first manifest stays.
 */
export const sealEvidence = defineStep({
  name: 'seal-evidence',
  summary: 'Writes the manifest of the evidence of a breach, with the SHA-256 of every object.',
  timeout: minutes(5),
  memoryMegabytes: 1024,
  needs: ['reports:read', 'reports:write'],
  input: BreachRecord,
  async run(record, context) {
    const { reports, region, clock } = context;
    const { request } = record;
    const key = manifestKey(request);
    const { manifest, missing } = evidenceManifest(record, await reports.list(region, logsPrefix(request)));
    const stored = await reports.get(region, key);
    const bytes = stored ?? new TextEncoder().encode(canonicalText(manifest));
    const sha256 = sha256Hex(bytes);
    const { objects, groups } = manifest;
    const events = groups.reduce((sum, group) => sum + group.events, 0);
    await act(
      context,
      record,
      { action: 'seal-evidence', resource: key, details: { sha256, objects: objects.length, events } },
      async () => {
        if (!stored) await reports.put(region, key, bytes, 'application/json');
      },
    );
    const sealed = { key, sha256, objects: objects.length, events, at: timestamp(clock.now()) };
    const next = { ...withGaps(record, missing), sealed };
    return found(next, request.recover ? 'recover' : 'sealed', `${objects.length} objects; the manifest is ${key}, SHA-256 ${sha256}`);
  },
});
