import { exportCsv } from '../../../functions/audit/export/csv.ts';
import { exportFhirNdjson } from '../../../functions/audit/export/fhir.ts';
import { streamEvents } from '../../../functions/audit/query/read-events.ts';
import { after, before, days } from '../../../functions/common/duration.ts';
import { type AuditStage, someEvents } from './stage.ts';

const reader = { by: 'cli/exporter', purpose: 'yearly report' } as const;

/** Row A6: all of it as FHIR and as CSV, a record for each event. */
export async function exports(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  await someEvents(stage);
  await phases.run('Export everything as FHIR AuditEvents and as CSV', async (say) => {
    const region = world.regions.primary;
    const { auditEvents, auditLog } = world.lab.ports(region);
    const clock = world.lab.clock;
    const filter = { from: before(clock.now(), days(2)), until: after(clock.now(), days(1)) };
    const stream = () => streamEvents({ auditEvents, auditLog, clock, region }, filter, reader);
    const resources = new Map<string, number>();
    for await (const line of exportFhirNdjson(stream())) {
      const { resourceType }: { resourceType?: string } = JSON.parse(line);
      resources.set(resourceType ?? 'none', (resources.get(resourceType ?? 'none') ?? 0) + 1);
    }
    let records = -1; // its header
    for await (const _ of exportCsv(stream())) records += 1;
    let events = 0;
    for await (const _ of stream()) events += 1;
    // Each reading is two events of its own, and the next one finds them.
    const [fhir, csv] = [resources.get('AuditEvent') ?? 0, records];
    say(`${fhir} AuditEvents, ${csv} records`);
    findings.promise(
      'A6',
      'Everything is exported as FHIR AuditEvents and as CSV, one for each event.',
      resources.size === 1 && fhir > 0 && fhir + 2 === csv && csv + 2 === events,
      `${fhir} AuditEvents, then ${csv} records of CSV, then ${events} events: each reading left two in the log`,
    );
  });
}
