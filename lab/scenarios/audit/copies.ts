import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditObjects } from '../../../functions/audit/ports.ts';
import { days } from '../../../functions/common/duration.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { auditObjectsIn, LockedFiles } from '../../audit/locked-files.ts';
import { auditLogDir } from '../../audit/objects.ts';
import type { AuditStage } from './stage.ts';

/** A copy of all logs of a Region, which can be harmed. @returns its directory */
export function copyOf({ world }: AuditStage, region: Region): string {
  const copy = mkdtempSync(join(world.regions.dir, 'copy-'));
  cpSync(auditLogDir(world.regions.paths(region)), copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** The copy, as the watch reads a bucket. */
export const filesIn = ({ world }: AuditStage, dir: string): AuditObjects =>
  auditObjectsIn(new LockedFiles(dir, world.lab.clock, days(world.lab.operations.audit.retention.days)));
