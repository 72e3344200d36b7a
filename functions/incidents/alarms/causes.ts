import type { AlarmRow } from './alarm-row.ts';

/** While `alarm` rings, what follows from it tells nobody: one cause pages once. */
interface Cause {
  readonly alarm: string;
  /** Alarms that follow: of the same subject, of any subject in this Region, or of one subject by name. */
  readonly consequences: readonly { readonly alarm: string; readonly of: 'same-subject' | 'any-subject' | { readonly subject: string } }[];
}

const any = (...alarms: string[]): Cause['consequences'] => alarms.map((alarm) => ({ alarm, of: 'any-subject' }));
const same = (...alarms: string[]): Cause['consequences'] => alarms.map((alarm) => ({ alarm, of: 'same-subject' }));

/**
 * What follows from what. A cause never hides anything worse than itself, and hides it only while it rings: what is still wrong when the cause is over is told then.
 * `DatabaseDown` hides services of its Region whichever database they use: whoever is called to the database looks at all of them.
 */
const causes: readonly Cause[] = [
  // Everything else that another Region hears of a lost one: its lease, its databases, its end of the replication.
  {
    alarm: 'RegionDown',
    consequences: [
      ...any('LeaseNotRenewed', 'GuardianLost', 'ReplicaLagging', 'ReplicaMissing'),
      ...same('AuditWatchSilent', 'AuditLogStale'), // of its log
    ],
  },
  // Nobody renews what nobody can read.
  { alarm: 'CoordinationUnreachable', consequences: any('LeaseNotRenewed', 'GuardianLost') },
  {
    alarm: 'DatabaseDown',
    consequences: [
      ...same('ConnectionsHigh', 'LatencyHigh', 'CpuHigh', 'MemoryHigh', 'LogNotFresh'),
      ...any('ServiceDown', 'ErrorRateHigh', 'ResponseSlow'),
    ],
  },
  { alarm: 'ServiceDown', consequences: same('ErrorRateHigh', 'ResponseSlow') },
  // Nothing gets into the log that a sequencer does not put there.
  { alarm: 'SequencingFailing', consequences: same('AuditLogStale', 'AuditEventNotIntegrated') },
  { alarm: 'AuditLogStale', consequences: same('AuditEventNotIntegrated') },
  // The same silence, heard twice.
  { alarm: 'AuditWatchSilent', consequences: [{ alarm: 'TaskOverdue', of: { subject: 'check-audit-log' } }] },
  { alarm: 'ObserverSilent', consequences: [{ alarm: 'TaskOverdue', of: { subject: 'observe-regions' } }] },
  { alarm: 'GuardianLost', consequences: [{ alarm: 'TaskOverdue', of: { subject: 'guard-lease' } }] },
];

/** A row with the rows of the same table that it follows from. */
export interface CausedRow {
  readonly row: AlarmRow;
  /** Empty: the alarm tells by itself. */
  readonly causes: readonly AlarmRow[];
}

/** The table with what hides what. A cause counts by its own metric, whether or not it is hidden itself: so chains hold. */
export const withCauses = (table: readonly AlarmRow[]): readonly CausedRow[] =>
  table.map((row) => ({ row, causes: table.filter((other) => other.severity <= row.severity && follows(row, other)) }));

const follows = (row: AlarmRow, from: AlarmRow): boolean =>
  causes
    .filter(({ alarm }) => alarm === from.alarm)
    .flatMap(({ consequences }) => consequences)
    .some(
      ({ alarm, of }) =>
        alarm === row.alarm && (of === 'any-subject' || (of === 'same-subject' ? from.subject : of.subject) === row.subject),
    );

/** What people are told of while these alarms ring, in this Region: the composite alarms as CloudWatch works them. */
export const tellingOf = (table: readonly AlarmRow[], rings: (row: AlarmRow) => boolean): readonly AlarmRow[] =>
  withCauses(table).flatMap(({ row, causes: above }) => (rings(row) && !above.some(rings) ? [row] : []));
