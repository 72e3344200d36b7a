import { existsSync } from 'node:fs';
import { CommanderError } from 'commander';
import { CodeblueError, messageOf } from '../functions/common/errors.ts';
import { DatabaseId, Region } from '../functions/common/ids.ts';
import { hospitalPack } from '../functions/verify/hospital-pack.ts';
import { startSequencers } from './audit/sequencers.ts';
import { openAuditWorld } from './audit/world.ts';
import { startCanary } from './canary.ts';
import { LabClock } from './clock.ts';
import { loadDumpFile } from './dump/load-dump-file.ts';
import { recognizeDump } from './dump/recognize.ts';
import { LabUnavailable } from './errors.ts';
import { watchableNumbers } from './failover/policy.ts';
import { Timeline } from './failover/timeline.ts';
import { openFailoverWorld } from './failover/world.ts';
import { loadHospital } from './hospital/generate.ts';
import { startWriter, type WriterReport } from './hospital/writer.ts';
import { openInBrowser } from './incident/open-in-browser.ts';
import { openIncidentWorld } from './incident/world.ts';
import { Lab } from './lab.ts';
import { labDatabaseId, labOperations, saveOperations } from './operations.ts';
import { type LabOptions, parseLabOptions } from './options.ts';
import { type Phases, phases } from './phases.ts';
import { processesUnder } from './postgres/processes.ts';
import { printReport } from './print-report.ts';
import { Findings, type LabReport } from './report.ts';
import { auditScenario, isAuditPart } from './scenarios/audit.ts';
import { backupScenario } from './scenarios/backup.ts';
import { failoverScenario, isFailoverPart, killsScenario } from './scenarios/failover.ts';
import { healthyScenario } from './scenarios/healthy.ts';
import { incidentScenario, isIncidentPart } from './scenarios/incident.ts';
import { type RunningRegions, startRegions } from './start.ts';

/**
 * `npm run lab`: starts three local Regions, runs a scenario, ends everything, reports.
 * @returns the exit code: 0 when every promise held, 1 when one was broken or the lab could not run, 2 for wrong words
 */
export async function runLab(argv: readonly string[]): Promise<number> {
  let options: LabOptions;
  try {
    options = parseLabOptions(argv);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  try {
    const report = await playScenario(options);
    show(report, options);
    return report.promises.every((promise) => promise.held) ? 0 : 1;
  } catch (error) {
    console.error(`\nerror: ${messageOf(error)}`);
    if (error instanceof CodeblueError && error.hint) console.error(error.hint);
    else if (!(error instanceof CodeblueError) && error instanceof Error) console.error(error.stack);
    return 1;
  }
}

function show(report: LabReport, { json }: LabOptions): void {
  if (json) console.log(JSON.stringify(report));
  else printReport(report);
}

const reportOf = ({ scenario, seed }: LabOptions, stages: Phases, { promises, measured, objectives }: Findings): LabReport => ({
  ...{ scenario, seed, promises, measured, objectives },
  phases: stages.done,
});

async function playScenario(options: LabOptions): Promise<LabReport> {
  if (options.dump !== undefined) await recognizeDump(options.dump); // refuses before anything is started
  const stages = phases(options.json ? 'silent' : process.stdout.isTTY ? 'terminal' : 'lines');
  const findings = new Findings();
  if (options.scenario === 'failover') {
    await playFailover(options, stages, findings);
    return reportOf(options, stages, findings);
  }
  if (options.scenario === 'incident') {
    await playIncident(options, stages, findings);
    return reportOf(options, stages, findings);
  }
  if (options.scenario === 'audit') {
    await playAudit(options, stages, findings);
    return reportOf(options, stages, findings);
  }
  const running = await stages.run('Start PostgreSQL in three Regions and fill the primary', (say) => start(options, say));
  try {
    await inLab(running, options, stages, findings);
  } finally {
    await stages.run('End every process and remove every file', () => running.stop());
  }
  noteLeftovers(running.regions.dir, findings);
  return reportOf(options, stages, findings);
}

async function playFailover(options: LabOptions, stages: Phases, findings: Findings): Promise<void> {
  if (options.dump !== undefined)
    throw new LabUnavailable('the failover scenario writes to its own hospital', { hint: 'Leave --dump out.' });
  const { profile, seed, sizeBytes, count, only } = options;
  const world = await stages.run('Start PostgreSQL in two of three Regions, their handlers, and the first lease', (say) =>
    openFailoverWorld({
      ...{ profile, seed, sizeBytes, numbers: watchableNumbers, perSecond: 100 },
      onProgress: ({ says }) => say(says),
    }),
  );
  try {
    const stage = { world, phases: stages, findings, timeline: new Timeline() };
    if (count === undefined) await failoverScenario(stage, only?.filter(isFailoverPart));
    else await killsScenario(stage, count, seed);
    if (options.keep) {
      show(reportOf(options, stages, findings), options);
      startSequencers(world.lab);
      await keepRunning(world.regions.dir);
    }
  } finally {
    await stages.run('End every process and remove every file', () => world.end());
  }
  noteLeftovers(world.regions.dir, findings);
}

async function playIncident(options: LabOptions, stages: Phases, findings: Findings): Promise<void> {
  if (options.dump !== undefined)
    throw new LabUnavailable('the incident scenario has a hospital of its own', { hint: 'Leave --dump out.' });
  const { profile, seed, sizeBytes, only, json } = options;
  const world = await stages.run('Start PostgreSQL in two of three Regions, queues, consumers, doors and alarms', (say) =>
    openIncidentWorld({ ...{ profile, seed, sizeBytes }, onProgress: ({ says }) => say(says) }),
  );
  try {
    if (!json) console.error(`  Pages arrive at ${world.page.url}/`);
    if (options.open) openInBrowser(`${world.page.url}/`);
    await incidentScenario({ world, phases: stages, findings }, only?.filter(isIncidentPart));
    if (options.keep) {
      show(reportOf(options, stages, findings), options);
      startSequencers(world.lab);
      await keepRunning(world.regions.dir);
    }
  } finally {
    await stages.run('End every process and remove every file', () => world.end());
  }
  noteLeftovers(world.regions.dir, findings);
}

async function playAudit(options: LabOptions, stages: Phases, findings: Findings): Promise<void> {
  if (options.dump !== undefined) throw new LabUnavailable('the audit scenario reads no database', { hint: 'Leave --dump out.' });
  const { profile, seed, only } = options;
  const world = await stages.run('Start three Regions: doors, buses, consumers, sequencers', () => openAuditWorld({ profile, seed }));
  try {
    await auditScenario({ world, phases: stages, findings, told: [] }, only?.filter(isAuditPart));
    if (options.keep) {
      show(reportOf(options, stages, findings), options);
      await keepRunning(world.regions.dir);
    }
  } finally {
    await stages.run('End every process and remove every file', () => world.end());
  }
  noteLeftovers(world.regions.dir, findings);
}

function noteLeftovers(dir: string, findings: Findings): void {
  const left = [...(existsSync(dir) ? [dir] : []), ...processesUnder(dir).map(({ pid }) => `process ${pid}`)];
  findings.promise('U2', 'The lab leaves no file and no process behind.', left.length === 0, left.join(', ') || 'nothing left');
}

function start({ dump, sizeBytes, seed, profile }: LabOptions, say: (text: string) => void): Promise<RunningRegions> {
  const { name: deployment, regions } = labOperations(profile, []);
  return startRegions({
    deployment,
    databaseId: DatabaseId.parse(labDatabaseId),
    regions: { primary: Region.parse(regions.primary), standby: Region.parse(regions.standby), tertiary: Region.parse(regions.tertiary) },
    seed,
    load: dump === undefined ? loadHospital(sizeBytes) : loadDumpFile(dump, say),
    onProgress: ({ says, fraction }) => say(fraction === undefined ? says : `${says} ${Math.round(fraction * 100)} %`),
  });
}

async function inLab({ regions }: RunningRegions, options: LabOptions, stages: Phases, findings: Findings): Promise<void> {
  const invariants = options.dump === undefined ? hospitalPack : [];
  const operations = labOperations(options.profile, invariants, regions.state.databaseNames);
  saveOperations(regions.dir, operations);
  const lab = new Lab(regions, operations, new LabClock());
  const sequencers = startSequencers(lab);
  const canary = startCanary(lab);
  // The writer knows the hospital's tables only; somebody's own data is written to by the canary alone.
  const writer =
    options.dump === undefined
      ? startWriter({
          address: () => regions.address(regions.primary, 'application'),
          connections: 4,
          seed: options.seed,
          ...writerRate(options),
        })
      : undefined;
  try {
    await canary.begun;
    const play = options.scenario === 'backup' ? backupScenario : healthyScenario(options.count ?? backupsTaken);
    await play({ lab, phases: stages, findings });
    if (options.keep) {
      show(reportOf(options, stages, findings), options);
      await keepRunning(regions.dir);
    }
  } finally {
    const written = await writer?.stop();
    await canary.stop();
    await sequencers.stop();
    await lab.settled();
    if (written) noteWriter(written, findings);
  }
}

/** By `healthy` when no count is given. */
const backupsTaken = 50;

/** Full load leaves no processor to anything else on a laptop; the backup scenario keeps it busy, `healthy` saturates it. */
const writerRate = ({ scenario }: LabOptions) => (scenario === 'healthy' ? {} : { perSecond: 100 });

function noteWriter({ acknowledged, failed, perSecond }: WriterReport, findings: Findings): void {
  findings.measure('writerTransactions', acknowledged);
  findings.measure('writerTransactionsPerSecond', perSecond);
  findings.promise(
    'U2.load',
    'The database was written to all the time, and no write failed.',
    acknowledged > 0 && failed === 0,
    `${acknowledged} transactions, ${Math.round(perSecond)} a second, ${failed} failed`,
  );
}

/** Until a signal comes: it ends the process, and the guard ends the lab. */
async function keepRunning(dir: string): Promise<void> {
  console.error(
    `\nThe lab stays in ${dir}.\nLook into it from another terminal: npm run codeblue -- status --lab\nCtrl-C ends it and removes everything.`,
  );
  await new Promise<void>(() => setInterval(() => {}, 60_000));
}
