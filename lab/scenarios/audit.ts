import { exports } from './audit/exports.ts';
import { underLoad } from './audit/load.ts';
import { lostRegion } from './audit/lost-region.ts';
import { prove } from './audit/prove.ts';
import { query } from './audit/query.ts';
import { rotation } from './audit/rotation.ts';
import type { AuditStage } from './audit/stage.ts';
import { tampering } from './audit/tampering.ts';
import { twoSequencers } from './audit/two-sequencers.ts';
import { watchSound } from './audit/watch.ts';
import { witnessed } from './audit/witnessed.ts';

/** The parts of the story, in its order. */
const parts = {
  load: underLoad,
  sequencers: twoSequencers,
  region: lostRegion,
  query,
  prove,
  export: exports,
  tamper: tampering,
  rotate: rotation,
  witness: witnessed,
  /** Last: it sets the clock forward. */
  watch: watchSound,
} as const satisfies Record<string, (stage: AuditStage) => Promise<void>>;

export type AuditPart = keyof typeof parts;
export const auditParts: readonly string[] = Object.keys(parts);
export const isAuditPart = (name: string): name is AuditPart => Object.hasOwn(parts, name);

/** The audit log from the first event to the auditor's desk; or only the parts that are named. */
export async function auditScenario(stage: AuditStage, only: readonly AuditPart[] | undefined): Promise<void> {
  for (const name of Object.keys(parts).filter(isAuditPart)) {
    if (only === undefined || only.includes(name)) await parts[name](stage);
  }
}
