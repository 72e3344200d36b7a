import type { Location, RecoveryPoint } from '../../functions/backup/models.ts';
import { databaseOf } from '../../functions/common/operations-lookup.ts';
import { formatBytes, localTime } from '../render/moments.ts';
import { type Cell, table } from '../render/table.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

export const backupListPorts = ['recoveryPoints'] as const;

export interface BackupListResult {
  readonly timeZone: string;
  /** Newest first. */
  readonly points: readonly RecoveryPoint[];
  /** Whether removed and failed backups and copies are shown. */
  readonly all: boolean;
  /** How many more there were: removed or failed ones, shown with --all. */
  readonly leftOut: number;
}

const holds = ({ status }: Location) => status === 'available' || status === 'creating';
const holdsData = (point: RecoveryPoint) => point.locations.some(holds);

/** The inventory (row B6). @throws InvalidInput for a database that the config does not name */
export async function listBackups(
  { ports, operations }: Session<(typeof backupListPorts)[number]>,
  { database, all = false }: { readonly database?: string; readonly all?: boolean },
): Promise<BackupListResult> {
  const databases = database === undefined ? operations.databases : [databaseOf(operations, database)];
  const points = (await Promise.all(databases.map(({ id }) => ports.recoveryPoints.list(id)))).flat();
  const shown = points
    .filter((point) => all || holdsData(point))
    .sort((a, b) => b.requestedAt.localeCompare(a.requestedAt) || a.id.localeCompare(b.id));
  return { timeZone: operations.timeZone, all, points: shown, leftOut: points.length - shown.length };
}

export function renderBackupList({ points, timeZone, leftOut, all }: BackupListResult, { colours }: Pick<Terminal, 'colours'>): string {
  const rest =
    leftOut === 0
      ? []
      : [
          colours.dim(
            leftOut === 1
              ? '1 more was removed or failed; add --all to see it.'
              : `${leftOut} more were removed or failed; add --all to see them.`,
          ),
        ];
  if (points.length === 0) return ['No backups yet: codeblue backup now --database <id> takes one.', ...rest].join('\n');
  const rows = points.map((point): Cell[] => [
    point.id,
    point.kind,
    localTime(point.requestedAt, timeZone),
    formatBytes(point.sizeBytes),
    verdictCell(point, colours),
    point.locations
      .filter((location) => all || holds(location))
      .map(locationText)
      .join(', '),
  ]);
  return [table(['BACKUP', 'KIND', 'TAKEN', 'SIZE', 'VERIFIED', 'WHERE'], rows, colours.bold), ...rest].join('\n');
}

function verdictCell({ verification }: RecoveryPoint, colours: Terminal['colours']): Cell {
  if (!verification) return { text: 'not yet', paint: colours.dim };
  return verification.outcome === 'verified' ? { text: 'yes', paint: colours.green } : { text: 'REFUSED', paint: colours.red };
}

function locationText({ region, role, status, verifiedAt, lockedUntil }: Location): string {
  const notes = [
    role === 'home' ? '' : role,
    status === 'available' ? '' : status,
    verifiedAt && role !== 'home' ? 'verified' : '',
    lockedUntil ? `locked until ${lockedUntil.slice(0, 10)}` : '',
  ];
  const said = notes.filter((note) => note !== '').join(', ');
  return said === '' ? region : `${region} (${said})`;
}
