/** Settings of postgresql.conf. Numbers and booleans are written bare, text in quotes. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** Write-ahead log segments of 1 MB, so that little data fills one and the archive is never far behind. */
export const WAL_SEGMENT_BYTES = 1 << 20;
/** A segment is archived after that long even if it is not full. */
const ARCHIVE_TIMEOUT_SECONDS = 5;

export const maxConnections = 60;

/**
 * What all of the lab's servers share.
 *
 * `fsync` is off: it protects against the loss of the machine's memory. What the lab kills are processes, and what they wrote
 * is in the page cache by then. A lab on a machine that loses power is thrown away. `full_page_writes` stays on: without it a
 * copy of a running server could hold torn pages.
 */
const common: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  max_connections: maxConnections,
  shared_buffers: '64MB',
  // Shared memory for parallel queries: reserved at start, the rest in files of the data directory. The other kinds stay behind
  // when a server is killed.
  dynamic_shared_memory_type: process.platform === 'win32' ? 'windows' : 'mmap',
  min_dynamic_shared_memory: '16MB',
  fsync: false,
  full_page_writes: true,
  jit: false,
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  checkpoint_timeout: '5min',
  log_checkpoints: false,
  // Values of rows never reach the log: no statements, no DETAIL lines.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_line_prefix: '%m ',
  log_timezone: 'UTC',
  timezone: 'UTC',
  datestyle: 'iso, mdy',
  lc_messages: 'C',
  default_text_search_config: 'pg_catalog.english',
};

/** While data is loaded: rows of tables made in the same transaction skip the write-ahead log. */
export const loadingSettings: Settings = {
  ...common,
  wal_level: 'minimal',
  max_wal_senders: 0,
  archive_mode: false,
  full_page_writes: false,
  maintenance_work_mem: '128MB',
  autovacuum: false,
  max_wal_size: '1GB',
};

/** A node of the lab: ships its log to standbys when it is the primary, and archives it into a directory of its own. */
export function nodeSettings(archiveDir: string): Settings {
  return {
    ...common,
    wal_level: 'replica',
    max_wal_senders: 10,
    max_replication_slots: 10,
    // A standby that stays away may not fill the disk.
    max_slot_wal_keep_size: '1GB',
    wal_keep_size: '32MB',
    hot_standby: true,
    hot_standby_feedback: true,
    // Who came and went, as RDS logs it for PostgreSQL: evidence, should there be a breach.
    log_connections: true,
    log_disconnections: true,
    archive_mode: true,
    archive_timeout: ARCHIVE_TIMEOUT_SECONDS,
    archive_command: archiveCommand(archiveDir),
    wal_retrieve_retry_interval: '200ms',
    wal_receiver_status_interval: '1s',
  };
}

/** A restored copy: answers queries, and reaches nobody. */
export const restoredSettings: Settings = {
  ...common,
  wal_level: 'replica',
  hot_standby: false,
  archive_mode: false,
  max_wal_senders: 0,
  max_replication_slots: 0,
  primary_conninfo: '',
  primary_slot_name: '',
};

/** Recovery up to a time; ends with an error when the log ends before it. */
export function timeTargetSettings(archiveDir: string, time: Date): Settings {
  return {
    restore_command: restoreCommand(archiveDir),
    // Offset as digits: the abbreviation Z is not known yet when PostgreSQL reads this.
    recovery_target_time: time.toISOString().replace('T', ' ').replace('Z', '+00'),
    recovery_target_action: 'promote',
    recovery_target_inclusive: true,
    recovery_target_timeline: 'latest',
  };
}

/** A file appears in the archive whole or not at all, and none is ever overwritten. */
function archiveCommand(archiveDir: string): string {
  if (process.platform === 'win32') return `copy "%p" "${percent(archiveDir)}\\%f"`;
  const target = `${percent(shellQuote(archiveDir))}/%f`;
  return `test ! -f ${target} && cp %p ${target}.partial && mv ${target}.partial ${target}`;
}

function restoreCommand(archiveDir: string): string {
  if (process.platform === 'win32') return `copy "${percent(archiveDir)}\\%f" "%p"`;
  return `cp ${percent(shellQuote(archiveDir))}/%f %p`;
}

const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** PostgreSQL replaces `%p` and `%f` in these commands; a plain percent sign is written twice. */
const percent = (text: string): string => text.replaceAll('%', '%%');

/** The text of a postgresql.conf. */
export function configText(settings: Settings): string {
  return Object.entries(settings)
    .map(
      ([name, value]) =>
        `${name} = ${typeof value === 'string' ? configQuote(value) : typeof value === 'boolean' ? (value ? 'on' : 'off') : value}\n`,
    )
    .join('');
}

export const configQuote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
