import { minutes } from '../../functions/common/duration.ts';
import type { Region } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { RehearsalRequest } from '../../functions/failover/drill/models.ts';
import { parseRehearsalReport, type RehearsalReport, rehearsalStem } from '../../functions/failover/drill/rehearsal-report.ts';
import { rehearsalExecution, requestRehearsal } from '../../functions/failover/drill/request-rehearsal.ts';
import { documentKeys } from '../../functions/failover/report/report-document.ts';
import { approvers } from '../failover/policy.ts';
import type { FailoverWorld } from '../failover/world.ts';
import { type FailoverStage, quietFigure, watchQuietly } from './failover/stage.ts';

const drillLimit = minutes(2);

/** F9: a rehearsal beside the live system passes, and one beside a system that degrades ends by itself; neither stops a write or leaves anything. */
export async function drill(stage: FailoverStage): Promise<void> {
  await rehearse(stage);
  await endsByItself(stage);
}

async function rehearse(stage: FailoverStage): Promise<void> {
  const { world, phases, findings } = stage;
  await phases.run('Rehearse a failover beside the live system', async (say) => {
    world.lab.watchState = say;
    let request: RehearsalRequest | undefined;
    const quiet = await watchQuietly(stage, 0, async () => {
      request = await start(world);
      await ended(world, request);
    });
    const report = await reportOf(world, request);
    const [database] = report.databases;
    findings.measure('rehearsedPromotionSeconds', database?.promotionSeconds ?? Number.NaN);
    findings.measure('rehearsedLossSeconds', database?.lossSeconds ?? Number.NaN);
    findings.promise(
      'F9.rehearsal',
      'A rehearsal makes, promotes, writes and removes a replica, and is held against the objectives.',
      report.outcome === 'passed' && (database?.writes ?? 0) > 0 && (await nothingLeft(world, report.request.region)),
      `${report.outcome}${report.stoppedBy ? `: ${report.stoppedBy}` : ''}; ${report.objectives.filter(({ kept }) => kept).length} of ${report.objectives.length} objectives kept; ${database?.lostCanaries ?? 'unknown'} canaries had not arrived`,
    );
    findings.promise('F9.beside', 'The live system does not notice a rehearsal.', quiet.stayed && quiet.failed === 0, quietFigure(quiet));
  });
}

/** One service of the leading region breaks while the temporary replica is being made: too little for a failover, enough to end a drill. */
async function endsByItself(stage: FailoverStage): Promise<void> {
  const { world, phases, findings } = stage;
  await phases.run('Let a service break during a rehearsal', async (say) => {
    const states: string[] = [];
    const { leader, other } = world.sides();
    const service = world.lab.operations.failover.services.find(({ critical }) => critical);
    if (!service) throw new TypeError('the lab has critical services');
    world.lab.watchState = (state) => {
      states.push(state);
      say(state);
    };
    // Before the loop looks the first time: it goes round until the trouble is seen.
    world.lab.beforeStep = async (operation) => {
      if (operation !== 'make-rehearsal') return;
      world.broken.add(`${leader}/${service.name}`);
      await world.until(`an observer finds ${service.name} unhealthy`, drillLimit, () => findsUnhealthy(world, `service/${service.name}`));
    };
    try {
      const request = await start(world);
      await ended(world, request);
      const report = await reportOf(world, request);
      findings.promise(
        'F9.aborts',
        'A rehearsal ends by itself when the live system degrades, and leaves nothing.',
        report.outcome === 'aborted' && !states.includes('Promote the rehearsal replica') && (await nothingLeft(world, other)),
        report.stoppedBy ?? report.outcome,
      );
    } finally {
      world.lab.beforeStep = async () => {};
      world.broken.delete(`${leader}/${service.name}`);
    }
    await world.until('the service is well again', drillLimit, async () => !(await findsUnhealthy(world, `service/${service.name}`)));
  });
}

async function start(world: FailoverWorld): Promise<RehearsalRequest> {
  const { lab } = world;
  const { executions, coordination } = lab.ports(world.sides().other);
  const record = await coordination.read();
  const wanted = { operations: lab.operations, record, now: lab.clock.now(), anytime: true, requestedBy: approvers.first };
  const requested = requestRehearsal(wanted);
  if (requested.kind === 'refused') throw new TypeError(requested.because);
  await executions.start({ ...rehearsalExecution(requested.request), input: { request: requested.request } });
  return requested.request;
}

async function ended(world: FailoverWorld, request: RehearsalRequest): Promise<void> {
  const { executions } = world.lab.ports(request.region);
  const isOver = async () => (await executions.describe(rehearsalExecution(request)))?.status !== 'running';
  await world.until('the rehearsal has ended', drillLimit, isOver);
}

async function reportOf(world: FailoverWorld, request: RehearsalRequest | undefined): Promise<RehearsalReport> {
  if (!request) throw new TypeError('no rehearsal was started');
  const { reports } = world.lab.ports(request.region);
  const bytes = await reports.get(request.region, documentKeys(rehearsalStem(request)).json);
  if (!bytes) throw new TypeError(`${request.rehearsalId} left no report`);
  return parseRehearsalReport(bytes);
}

async function findsUnhealthy(world: FailoverWorld, subject: string): Promise<boolean> {
  const votes = await world.lab.ports().coordination.votes();
  return votes.some(({ findings }) => findings.some((finding) => finding.subject === subject && finding.status === 'unhealthy'));
}

/** No temporary database in that region, and no slot or connection on the primary that one has left. */
async function nothingLeft(world: FailoverWorld, region: Region): Promise<boolean> {
  if ((await world.lab.ports(region).databases.listRestored(region)).length > 0) return false;
  const session = await pgServer(world.regions.address(world.sides().leader, 'admin')).connect('postgres');
  try {
    const left = await session.query(`SELECT 1 FROM pg_stat_replication WHERE application_name LIKE 'rehearsal%'`);
    return left.length === 0;
  } finally {
    await session.close();
  }
}
