import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eraseEvents } from '../../../functions/audit/erase/erase-events.ts';
import { planErasure } from '../../../functions/audit/erase/plan-erasure.ts';
import { PatientRef } from '../../../functions/audit/events/event.ts';
import { readEvents } from '../../../functions/audit/query/read-events.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { regionsOf } from '../../../functions/common/operations-lookup.ts';
import { Incident } from '../../../functions/incidents/models.ts';
import { countReads } from '../../audit/command-line.ts';
import { verifierKeyIn } from '../../audit/read-log.ts';
import { proofFile, verified } from './proof-files.ts';
import { type AuditStage, someEvents } from './stage.ts';

/** Events of the bundle for an incident. */
const OF_INCIDENT = 12;
const who = { by: 'cli/officer', purpose: 'request of a patient' } as const;

/** Proofs for outsiders, verified by a process that has the file and the key and nothing else; then what they prove is erased, and proven all the same. */
export async function prove(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  await someEvents(stage);
  await phases.run('Prove an event and an incident, and verify the files elsewhere', async (say) => {
    const region = world.regions.primary;
    const [first, ...more] = acknowledgedIn(stage, region);
    if (!first) throw new TypeError('something was logged');
    const keys = join(world.regions.dir, 'hospital.vkey');
    writeFileSync(keys, world.regions.names.map((each) => `${verifierKeyIn(world.logDir(each))}\n`).join(''));

    const one = await proofFile(stage, 'event', [`${region}/${first.eventId}`]);
    const verdict = await verified(one, keys);
    const proofBytes = readFileSync(one).length;
    const { reads, bytes } = await countReads(world, region, first.eventId);
    const forged = join(world.regions.dir, 'forged.tlog-proof');
    writeFileSync(
      forged,
      readFileSync(one, 'utf8').replace(/^index (\d+)$/m, (_, index: string) => `index ${Number(index) + 1}`),
    );
    const refused = await verified(forged, keys);
    findings.measure('proofBytes', proofBytes);
    findings.measure('proofObjectsRead', reads);
    say(`${proofBytes} bytes, ${reads} objects read`);
    findings.promise(
      'A3.proof',
      'One event is proven by a file that verifies in another process without network, config or account; a changed one does not.',
      verdict.holds && verdict.bodies === 1 && !refused.holds,
      `${proofBytes} bytes; ${reads} objects (${bytes} bytes) of the log read for it; entry number changed: ${refused.holds ? 'HOLDS' : 'refused'}`,
    );

    const incident = await investigation(
      stage,
      region,
      more.slice(0, OF_INCIDENT).map(({ eventId }) => eventId),
    );
    const all = await proofFile(stage, 'incident', ['--incident', incident]);
    const together = await verified(all, keys);
    findings.promise(
      'A6.incident',
      'All events of an incident are proven by one file, against one checkpoint.',
      together.holds && together.proofs === OF_INCIDENT && together.checkpoints === 1,
      `${together.proofs} events of ${incident}, ${readFileSync(all).length} bytes, ${together.checkpoints} checkpoint`,
    );
    await eraseAndProve(stage, first, one, keys);
  });
}

const acknowledgedIn = ({ told }: AuditStage, region: Region) =>
  told.filter((each) => each.region === region).flatMap(({ acknowledged }) => [...acknowledged.values()].map(({ event }) => event));

/** An incident that somebody linked events to: a patient complains about who looked at a record. */
async function investigation({ world }: AuditStage, region: Region, eventIds: readonly string[]): Promise<string> {
  const now = timestamp(world.lab.clock.now());
  const about = { dedupKey: `v1:${'0'.repeat(64)}`, alarm: 'RecordAccess', subject: 'records', region };
  const incident = Incident.parse({
    ...{
      id: 'inc-20261122t070000z-1f2e3d4c5b',
      home: region,
      status: 'triggered',
      severity: 3,
      groupKey: 'lab/record-access',
      policy: 'clinical',
    },
    troubles: [{ ...about, severity: 3, status: 'firing', firstAt: now, lastAt: now, signals: 1, changes: [] }],
    ...{ openedAt: now, generation: 1, escalatesFrom: now, phase: 'detection', respondBy: now, resolveBy: now },
    ...{ acknowledgements: [], links: eventIds.map((ref) => ({ kind: 'audit', ref })), lastSignalAt: now, version: 0 },
  });
  await world.lab.ports(region).incidents.create(incident, undefined);
  return incident.id;
}

/** Row A4: what a patient had erased is gone, with every reading of the log that looked for them, and that it was logged stays proven. */
async function eraseAndProve(
  stage: AuditStage,
  event: { readonly eventId: string; readonly patientRef: string },
  oldProof: string,
  keys: string,
): Promise<void> {
  const { world, findings } = stage;
  const region = world.regions.primary;
  const ports = { ...world.lab.ports(region), clock: world.lab.clock, region, regions: regionsOf(world.lab.operations) };
  const patientRef = PatientRef.parse(event.patientRef);
  const ofPatient = { from: new Date(0), until: new Date('9999-01-01'), patientRef };
  await readEvents(ports, ofPatient, { ...who, limit: 1 });
  const plan = await planErasure(ports, { patientRef }, who);
  const readings = plan.erase.filter(({ action }) => action === 'audit.read').length;
  const { erased } = await eraseEvents(ports, plan, { by: who.by, reason: 'request 4711', basis: 'GDPR Art. 17(1)(b)' });
  await world.integrated([region], 30);
  const proof = await proofFile(stage, 'erased', [`${region}/${event.eventId}`]);
  const [now, old] = [await verified(proof, keys), await verified(oldProof, keys)];
  const left = await ports.auditEvents.query(ofPatient, { limit: 1 });
  const acts = await ports.auditLog.recent(new Date(0), 100_000);
  const told = Map.groupBy(
    acts.filter(({ action }) => action === 'audit.erase'),
    ({ phase }) => phase,
  );
  const [before, after] = [told.get('intent') ?? [], told.get('outcome') ?? []];
  const isTold =
    before.length === after.length &&
    plan.erase.every(({ eventId }) => before.some(({ details }) => `${details.events}`.includes(eventId)));
  const isGone = left.events.length === 0 && ![JSON.stringify(acts), readFileSync(proof, 'utf8')].some((text) => text.includes(patientRef));
  findings.promise(
    'A4',
    'Nothing names an erased patient any more, not even who looked for them, every proof stays valid, and the erasure is in the log, before and after.',
    erased > readings && readings > 0 && isGone && isTold && now.holds && now.bodies === 0 && old.holds,
    `${erased} erased, ${readings} of them readings of the log; proof afterwards ${now.holds ? 'holds' : 'FAILS'} without the event, the one from before ${old.holds ? 'holds' : 'FAILS'}; ${before.length} intents and ${after.length} outcomes in the log`,
  );
}
