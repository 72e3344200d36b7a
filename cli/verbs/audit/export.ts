import { exportCsv } from '../../../functions/audit/export/csv.ts';
import { exportFhirBundle, exportFhirNdjson } from '../../../functions/audit/export/fhir.ts';
import { exportNdjson } from '../../../functions/audit/export/ndjson.ts';
import type { EventFilter, RecordedEvent } from '../../../functions/audit/ports.ts';
import type { Reader } from '../../../functions/audit/query/audited-read.ts';
import { streamEvents } from '../../../functions/audit/query/read-events.ts';
import { type Timestamp, timestamp } from '../../../functions/common/ids.ts';
import type { Report } from '../../progress.ts';
import type { CliHost, Session } from '../../session.ts';

export const auditExportPorts = ['auditEvents', 'auditLog'] as const;

export const exportFormats = ['fhir', 'csv', 'ndjson'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface Exported {
  readonly file: string;
  readonly format: ExportFormat;
  readonly events: number;
}

interface Wanted extends Reader {
  readonly format: ExportFormat;
  /** One Bundle instead of a resource a line. */
  readonly bundle: boolean;
  readonly out: string;
  readonly replace: boolean;
}

/** Events between two words about progress. */
const TOLD_EVERY = 1000;

/**
 * All events that fit, into one file: read page by page as fast as the disk takes them, whatever there is. Two events of the log say that it began and how it ended.
 *
 * @throws InvalidInput when the file is there already; ServiceUnavailable: no file is left then
 */
export async function exportEvents(
  session: Session<(typeof auditExportPorts)[number]>,
  filter: EventFilter,
  { format, bundle, out, replace, ...reader }: Wanted,
  host: Pick<CliHost, 'writeFile'>,
  report: Report,
): Promise<Exported> {
  let events = 0;
  async function* counted(): AsyncGenerator<RecordedEvent> {
    for await (const event of streamEvents({ ...session.ports, ...session }, filter, reader)) {
      events += 1;
      if (events % TOLD_EVERY === 0) report(`${events} events`);
      yield event;
    }
  }
  report('asking for the first events');
  await host.writeFile(out, written(format, bundle, counted(), timestamp(session.clock.now())), { replace });
  return { file: out, format, events };
}

function written(format: ExportFormat, bundle: boolean, events: AsyncIterable<RecordedEvent>, at: Timestamp): AsyncIterable<string> {
  if (format === 'csv') return exportCsv(events);
  if (format === 'ndjson') return exportNdjson(events);
  return bundle ? exportFhirBundle(events, at) : exportFhirNdjson(events);
}

export const renderExported = ({ file, events }: Exported): string =>
  `${events} ${events === 1 ? 'event' : 'events'} in ${file}. It holds what the log holds about people: keep it as safe.`;
