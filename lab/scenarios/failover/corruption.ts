import { minutes } from '../../../functions/common/duration.ts';
import type { RecoveryRequest } from '../../../functions/failover/recovery/models.ts';
import { parseRecoveryReport, type RecoveryReport, recoveryStem } from '../../../functions/failover/recovery/recovery-report.ts';
import { recoveryExecution, requestRecovery } from '../../../functions/failover/recovery/request-recovery.ts';
import { documentKeys } from '../../../functions/failover/report/report-document.ts';
import { approvers } from '../../failover/policy.ts';
import { damagedServer } from '../../failover/swaps.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { answer, openQuestion } from './answers.ts';
import { type Damage, damagedRows, damageRows } from './damage-rows.ts';
import { judgeReplacement, type Replacement } from './judge-replacement.ts';
import type { Outcome } from './kills.ts';
import { ensureProvenBackup } from './prove-backup.ts';
import { type FailoverStage, leadsSinceMs, quietFigure, watchQuietly } from './stage.ts';

const recoveryLimit = minutes(3);
/** After the damage everybody goes on writing: this is what a recovery to the second before costs. */
const unnoticedMs = 1_000;

/** F10: an UPDATE damages a table; people say no to the exchange, and then yes. */
export async function corruption(stage: FailoverStage): Promise<Outcome> {
  const { world, phases } = stage;
  await phases.run('Back up and prove before the damage', () => ensureProvenBackup(world));
  const damage = await phases.run('Damage a table, and go on writing', async (say) => {
    const done = await damageRows(world);
    say(`${done.rows} rows after ${done.until.toISOString()}`);
    await world.lab.clock.sleep(unnoticedMs);
    return done;
  });
  await refuse(stage, damage);
  return recover(stage, damage);
}

/** Asks for it and answers. @returns how the machine ended, and what people were asked */
async function runRecovery(world: FailoverWorld, { until }: Damage, says: 'approved' | 'rejected') {
  const { lab, regions } = world;
  const { coordination, executions, reports } = lab.ports(world.sides().leader);
  const requested = requestRecovery({
    ...{ operations: lab.operations, record: await coordination.read(), hold: await coordination.hold(), now: lab.clock.now() },
    ...{ databaseId: regions.state.databaseId, until, requestedBy: approvers.second, reason: 'an UPDATE lost its WHERE clause' },
  });
  if (requested.kind === 'refused') throw new TypeError(requested.because);
  const { request } = requested;
  const ref = recoveryExecution(request);
  await executions.start({ ...ref, input: { request } });
  const status = async () => (await executions.describe(ref))?.status;
  let question = await openQuestion(world, 'start');
  await world.until('the recovery asks a human', recoveryLimit, async () => {
    question = await openQuestion(world, 'start');
    return question !== undefined || (await status()) !== 'running';
  });
  const answeredMs = performance.now();
  if (question) await answer(world, question.hash, approvers.first, says);
  await world.until('the recovery has ended', recoveryLimit, async () => (await status()) !== 'running');
  await world.until('every execution has ended', recoveryLimit, () => !lab.isExecuting());
  const body = await reports.get(request.region, documentKeys(recoveryStem(request)).json);
  if (!body) throw new TypeError(`${request.recoveryId} left no report`);
  return { request, question: question?.question, answeredMs, status: await status(), report: parseRecoveryReport(body) };
}

/** Nobody loses anything by a question: the live database is the damaged one, and takes writes. */
async function refuse(stage: FailoverStage, damage: Damage): Promise<void> {
  const { world, phases, findings } = stage;
  await phases.run('Recover to the second before, and say no', async (say) => {
    world.lab.watchState = say;
    const { leader } = world.sides();
    let recovery: Awaited<ReturnType<typeof runRecovery>> | undefined;
    const quiet = await watchQuietly(stage, 0, async () => {
      recovery = await runRecovery(world, damage, 'rejected');
    });
    const rows = await damagedRows(world.regions.address(leader, 'admin'));
    const { databases, coordination } = world.lab.ports(leader);
    const left = await databases.listRestored(leader);
    const hold = await coordination.hold();
    findings.promise(
      'F10.no',
      'Where a human says no, the damaged database stays what it is and where it is, written to without a break; the copy goes.',
      recovery?.status === 'failed' &&
        recovery.report.outcome === 'as-it-was' &&
        quiet.stayed &&
        quiet.failed === 0 &&
        quiet.writes > 0 &&
        // The application corrects a patient now and then.
        rows > 0 &&
        left.length === 0 &&
        hold === undefined,
      `${recovery?.report.outcome}: ${recovery?.report.stoppedBy}; ${quietFigure(quiet)}; ${left.length} copies left`,
    );
  });
}

async function recover(stage: FailoverStage, damage: Damage): Promise<Outcome> {
  const { world, phases, findings, timeline } = stage;
  return phases.run('Recover to the second before, and say yes', async (say) => {
    const { leader } = world.sides();
    const sinceMs = leadsSinceMs(world, leader);
    const openedMs = whenOpened(world);
    timeline.note(`${approvers.second} asks for ${damage.until.toISOString()}`);
    world.lab.watchState = (state, { machine }) => (machine === 'recover-database' ? timeline.note(state) : say(`${machine}: ${state}`));
    const startedMs = performance.now();
    const recovery = await runRecovery(world, damage, 'approved').finally(() => {
      world.lab.beforeStep = async () => {};
    });
    for (const line of timeline.lines(startedMs)) say(line);
    const { report, request, question, status } = recovery;
    const atMs = openedMs();
    if (report.replacedAt === undefined || atMs === undefined) throw new TypeError(`nothing was replaced: ${report.stoppedBy}`);
    world.replacements.push({ region: leader, atMs });
    const first = world.acknowledgements.first(leader, atMs);
    findings.measure('recoverySeconds', (atMs - startedMs) / 1000);
    findings.measure('recoveryAfterApprovalSeconds', (atMs - recovery.answeredMs) / 1000);
    findings.promise(
      'F10.asked',
      'Who approves is told which moment the copy shows, and the report what was done.',
      question?.plan.replacement?.restoredTo === damage.until.toISOString() && isComplete(report, request) && status === 'succeeded',
      `${report.outcome}; proven before it: ${report.clean?.method === 'transaction-log' ? report.clean.provenBefore : 'none'}; ${report.checks.filter(({ result }) => result === 'passed').length} checks passed; ${question?.plan.replacement?.verdict}`,
    );
    const replacement: Replacement = { leader, epoch: world.record().epoch, sinceMs, openedMs: atMs, firstMs: first?.atMs, damage };
    const outcome = await judgeReplacement(stage, replacement);
    // What a person does who has looked at it. Its data stays.
    await damagedServer(world.regions, world.regions.use(leader), replacement.epoch).stop();
    return outcome;
  });
}

const isComplete = (report: RecoveryReport, { requestedAt }: RecoveryRequest): boolean =>
  report.outcome === 'recovered' &&
  report.keptAs !== undefined &&
  report.clean?.method === 'transaction-log' &&
  report.clean.provenBefore !== undefined &&
  report.checks.some(({ result }) => result === 'passed') &&
  report.checks.every(({ result }) => result !== 'failed') &&
  report.request.requestedAt === requestedAt;

/** The moment before the copy gets its first lease: what was acknowledged until then, the damaged server acknowledged. */
function whenOpened(world: FailoverWorld): () => number | undefined {
  let atMs: number | undefined;
  world.lab.beforeStep = async (operation) => {
    if (operation === 'open-primary') atMs ??= performance.now();
  };
  return () => atMs;
}
