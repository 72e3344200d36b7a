import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { minutes } from '../../../functions/common/duration.ts';
import { manifestKey, reportStem } from '../../../functions/failover/breach/evidence-objects.ts';
import { BreachRequest, PreservedDatabase } from '../../../functions/failover/breach/models.ts';
import { breachExecution, requestBreach } from '../../../functions/failover/breach/request-breach.ts';
import { documentKeys } from '../../../functions/failover/report/report-document.ts';
import { tryToWrite } from '../../failover/old-primary.ts';
import { approvers } from '../../failover/policy.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import type { FailoverStage } from './stage.ts';

const breachLimit = minutes(2);
const attempts = 5;
/** How long nobody may get in before the network is opened again: a few renewals of the lease. */
const shutMs = 3_000;

/** F10: shut out at the network, everything kept and sealed, and nobody opens it but a person. */
export async function breach(stage: FailoverStage): Promise<void> {
  const { world, phases, findings } = stage;
  const told: string[] = [];
  const contained = await phases.run('Contain a breach', async (say) => {
    world.lab.onNotice = ({ subject, text }) => told.push(`${subject}\n${text}`);
    const started = await contain(world, say);
    await world.lab.clock.sleep(shutMs);
    const { request, report, shutMs: sinceMs, status } = started;
    const tried = await Promise.all(world.candidates.map((region) => tryToWrite(world, region, attempts)));
    const through = world.acknowledgements.since(sinceMs).length;
    const record = world.record();
    const hold = await world.lab.ports().coordination.hold();
    findings.measure('breachShutSeconds', (sinceMs - started.startedMs) / 1000);
    findings.promise(
      'F10.breach',
      'The application is shut out of every database, in both Regions; nothing moves, and the lease is kept.',
      status === 'succeeded' &&
        report.outcome === 'contained' &&
        through === 0 &&
        tried.every(({ accepted }) => accepted === 0) &&
        hold?.by === request.breachId &&
        record.epoch === request.epoch &&
        record.phase === 'active',
      `${report.outcome}${report.gaps.map((gap) => `, ${gap}`).join('')}; ${through} writes since it was shut after ${((sinceMs - started.startedMs) / 1000).toFixed(1)} s; ${attempts} attempts in each Region refused with SQLSTATE ${[...new Set(tried.flatMap(({ codes }) => [...codes]))].join(', ')}`,
    );
    return started;
  });
  await judgeEvidence(stage, contained, told);
  await release(stage, contained.request);
}

/** What the report of a breach is read for here. */
const Report = z.looseObject({
  outcome: z.string(),
  gaps: z.array(z.string()),
  request: BreachRequest,
  databases: z.array(PreservedDatabase),
  evidence: z.object({ key: z.string(), sha256: z.string(), objects: z.int(), events: z.int() }),
});
type Report = z.output<typeof Report>;

interface Contained {
  readonly request: BreachRequest;
  readonly report: Report;
  readonly status: string | undefined;
  readonly startedMs: number;
  /** From then on nobody of the application gets in. */
  readonly shutMs: number;
}

async function contain(world: FailoverWorld, say: (text: string) => void): Promise<Contained> {
  const { lab } = world;
  const { coordination, executions, reports } = lab.ports(world.sides().leader);
  const requested = requestBreach({
    ...{ operations: lab.operations, record: await coordination.read(), now: lab.clock.now() },
    ...{ requestedBy: approvers.first, reason: 'somebody uses the password of the application' },
  });
  if (requested.kind === 'refused') throw new TypeError(requested.because);
  const { request } = requested;
  const ref = breachExecution(request);
  let shutAt: number | undefined;
  lab.watchState = (state) => {
    // What follows the last look at whether everything is shut.
    if (state === 'Take snapshots as it is') shutAt = performance.now();
    say(state);
  };
  const startedMs = performance.now();
  await executions.start({ ...ref, input: { request } });
  const status = async () => (await executions.describe(ref))?.status;
  await world.until('the breach is contained', breachLimit, async () => (await status()) !== 'running');
  const body = await reports.get(request.region, documentKeys(reportStem(request)).json);
  if (!body || shutAt === undefined) throw new TypeError(`${request.breachId} left no report`);
  return { request, report: Report.parse(JSON.parse(Buffer.from(body).toString())), status: await status(), startedMs, shutMs: shutAt };
}

const Manifest = z.object({
  groups: z.array(z.object({ name: z.string(), region: z.string(), events: z.int() })),
  objects: z.array(z.object({ key: z.string(), sha256: z.string() })),
});
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Whoever has the one number that people were sent can check everything that was kept. */
async function judgeEvidence({ world, phases, findings }: FailoverStage, { request, report }: Contained, told: readonly string[]) {
  await phases.run('Check what was kept', async () => {
    const { region } = request;
    const { reports, databases, vault } = world.lab.ports(region);
    const sealed = await reports.get(region, manifestKey(request));
    const manifest = Manifest.parse(JSON.parse(Buffer.from(sealed ?? []).toString()));
    const stored = await Promise.all(manifest.objects.map(async ({ key }) => (await reports.get(region, key)) ?? new Uint8Array()));
    const wrong = manifest.objects.filter((object, index) => sha256(stored[index] ?? new Uint8Array()) !== object.sha256);
    const lines = stored.flatMap((bytes) => gunzipSync(bytes).toString().trimEnd().split('\n'));
    const entries = lines.filter((line) => line.includes(`user=${world.regions.state.accounts.application.user}`));
    const [kept] = report.databases;
    const snapshot = kept && (await databases.describeSnapshot({ region, snapshotId: kept.recoveryPointId }));
    const copies = kept ? await vault.list(region, kept.databaseId) : [];
    const copy = copies.find(({ copyId }) => copyId === kept?.locked?.copyId);
    const removal = copy ? await world.lab.vault.remove(region, copy.copyId).then(() => 'removed', nameOf) : 'no copy';
    findings.promise(
      'F10.evidence',
      'Logs of every Region, a snapshot and a locked copy are kept; every object has the checksum of the manifest, and the manifest that of the notice.',
      sha256(sealed ?? new Uint8Array()) === report.evidence.sha256 &&
        told.some((text) => text.includes(report.evidence.sha256)) &&
        wrong.length === 0 &&
        manifest.objects.length > 0 &&
        lines.length === report.evidence.events &&
        entries.length > 0 &&
        world.candidates.every((each) => manifest.groups.some((group) => group.region === each && group.events > 0)) &&
        snapshot?.status === 'available' &&
        copy?.status === 'available' &&
        removal === 'Locked',
      `${manifest.objects.length} objects of ${manifest.groups.length} log groups, ${wrong.length} with another checksum; ${lines.length} events, ${entries.length} of them sessions of the application; snapshot ${snapshot?.status}, locked copy ${copy?.status}, its removal: ${removal}`,
    );
    findings.promise(
      'F10.told',
      'People are told at once, with the hours and days in which others must hear of it; no word of a log goes out.',
      told.some((text) => text.includes('GDPR') && text.includes('HIPAA')) && !told.some((text) => text.includes('connection authorized')),
      `${told.length} notices`,
    );
  });
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown');

const codeblue = fileURLToPath(new URL('../../../bin/codeblue.mjs', import.meta.url));
const runCommand = promisify(execFile);

/** Opened by a person, with the command that the runbook names: as a process of its own, which knows the lab by its directory. */
async function release({ world, phases, findings }: FailoverStage, { breachId }: BreachRequest): Promise<void> {
  await phases.run('Open the network again', async (say) => {
    const words = ['contain', '--release', '--yes', '--lab', world.regions.dir, '--as', approvers.first];
    const { stdout } = await runCommand(process.execPath, [codeblue, ...words]);
    for (const line of stdout.trimEnd().split('\n')) say(line);
    const openedMs = performance.now();
    await world.until('the application writes again', breachLimit, () => world.acknowledgements.since(openedMs).length > 0);
    const { coordination } = world.lab.ports();
    const [hold, containment] = [await coordination.hold(), await coordination.containment()];
    findings.promise(
      'F10.release',
      'A person opens the network again, and everything goes on as before.',
      hold === undefined && containment === undefined && world.record().phase === 'active',
      `${breachId} released; writes ${((world.acknowledgements.since(openedMs)[0]?.atMs ?? Number.NaN) - openedMs).toFixed(0)} ms later`,
    );
  });
}
