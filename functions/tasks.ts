import { auditEventsEndpoint } from './audit/ingest/audit-events-endpoint.ts';
import { logAuditEvents } from './audit/ingest/log-audit-events.ts';
import { sequenceAuditLog } from './audit/log/sequence-audit-log.ts';
import { checkAuditLog } from './audit/watch/check-audit-log.ts';
import { restoreTestAuditLog } from './audit/watch/restore-test-audit-log.ts';
import { sweepAuditTiles } from './audit/watch/sweep-audit-tiles.ts';
import { verifyAuditLog } from './audit/watch/verify-audit-log.ts';
import { advanceRecoveryPoints } from './backup/advance-recovery-points.ts';
import { backupAuditLogTable } from './backup/backup-audit-log-table.ts';
import { backupDatabase } from './backup/backup-database.ts';
import { backupStateTables } from './backup/backup-state-tables.ts';
import { checkLogFreshness } from './backup/check-log-freshness.ts';
import { expireRecoveryPoints } from './backup/expire-recovery-points.ts';
import { lockRecoveryPoints } from './backup/lock-recovery-points.ts';
import { sweepOrphans } from './backup/sweep-orphans.ts';
import { writeCanaries } from './backup/write-canary.ts';
import type { AnyConsumer } from './common/consumer.ts';
import type { AnyEndpoint, OpenEndpoint, SignedEndpoint } from './common/endpoint.ts';
import { InvalidInput } from './common/errors.ts';
import type { AnyOperation, AnyStep, AnyTask } from './common/task.ts';
import { awaitEvidence } from './failover/breach/steps/await-evidence.ts';
import { beginEvidence } from './failover/breach/steps/begin-evidence.ts';
import { exportEvidenceLogs } from './failover/breach/steps/export-evidence-logs.ts';
import { holdForBreach } from './failover/breach/steps/hold-for-breach.ts';
import { awaitRecoveryAfterBreach, recoverAfterBreach } from './failover/breach/steps/recover-after-breach.ts';
import { reportBreach } from './failover/breach/steps/report-breach.ts';
import { sealEvidence } from './failover/breach/steps/seal-evidence.ts';
import { shutOutApplication } from './failover/breach/steps/shut-out-application.ts';
import { tellOfBreach } from './failover/breach/steps/tell-of-breach.ts';
import { fullFailoverTest } from './failover/drill/full-failover-test.ts';
import { rehearseFailover } from './failover/drill/rehearse-failover.ts';
import { awaitRehearsal } from './failover/drill/steps/await-rehearsal.ts';
import { lookAtLiveSystem } from './failover/drill/steps/look-at-live-system.ts';
import { makeRehearsal } from './failover/drill/steps/make-rehearsal.ts';
import { awaitFullTestMove, moveForFullTest } from './failover/drill/steps/move-for-full-test.ts';
import { promoteTheRehearsal } from './failover/drill/steps/promote-rehearsal.ts';
import { awaitRehearsalRemoval, removeRehearsal } from './failover/drill/steps/remove-rehearsal.ts';
import { reportFullTest } from './failover/drill/steps/report-full-test.ts';
import { reportRehearsal } from './failover/drill/steps/report-rehearsal.ts';
import {
  awaitFullTestProtection,
  awaitFullTestReturn,
  protectAfterFullTest,
  returnFromFullTest,
} from './failover/drill/steps/return-from-full-test.ts';
import { watchFullTest } from './failover/drill/steps/watch-full-test.ts';
import { writeToClone, writeToReplica } from './failover/drill/steps/write-to-rehearsal.ts';
import { awaitHandOver } from './failover/failback/steps/await-hand-over.ts';
import { awaitOldRegion } from './failover/failback/steps/await-old-region.ts';
import { awaitReplica } from './failover/failback/steps/await-replica.ts';
import { handOver } from './failover/failback/steps/hand-over.ts';
import { keepOldPrimary } from './failover/failback/steps/keep-old-primary.ts';
import { listLostWrites } from './failover/failback/steps/list-lost-writes.ts';
import { proveReplicaEqual } from './failover/failback/steps/prove-replica.ts';
import { rebuildOldRegion } from './failover/failback/steps/rebuild-old-region.ts';
import { recordFailback } from './failover/failback/steps/record-failback.ts';
import { keepFenceComplete } from './failover/fence/keep-fence-complete.ts';
import { guardLease } from './failover/lease/guard.ts';
import { askHuman } from './failover/move/steps/ask-human.ts';
import { assessFailover } from './failover/move/steps/assess-failover.ts';
import { awaitAnswer } from './failover/move/steps/await-answer.ts';
import { awaitFence } from './failover/move/steps/await-fence.ts';
import { awaitPromotion } from './failover/move/steps/await-promotion.ts';
import { awaitStrength } from './failover/move/steps/await-strength.ts';
import { callHuman } from './failover/move/steps/call-human.ts';
import { claimEpoch } from './failover/move/steps/claim-epoch.ts';
import { commitToNewPrimary } from './failover/move/steps/commit-promotion.ts';
import { confirmWrites } from './failover/move/steps/confirm-writes.ts';
import { giveLeaseBack } from './failover/move/steps/give-lease-back.ts';
import { measureLoss } from './failover/move/steps/measure-loss.ts';
import { moveTraffic } from './failover/move/steps/move-traffic.ts';
import { noteBeginning } from './failover/move/steps/note-beginning.ts';
import { openPrimary } from './failover/move/steps/open-primary.ts';
import { promoteReplica } from './failover/move/steps/promote-replica.ts';
import { recordFailover } from './failover/move/steps/record-failover.ts';
import { scaleUp } from './failover/move/steps/scale-up.ts';
import { tellPeople } from './failover/move/steps/tell-people.ts';
import { observeRegions } from './failover/observe/observe.ts';
import { findCleanState } from './failover/recovery/steps/find-clean-state.ts';
import { giveUpRecovery } from './failover/recovery/steps/give-up-recovery.ts';
import { holdForRecovery } from './failover/recovery/steps/hold-for-recovery.ts';
import { judgeRestoredCopy } from './failover/recovery/steps/judge-restored-copy.ts';
import { keepDamagedDatabase } from './failover/recovery/steps/keep-damaged-database.ts';
import { prepareReplacement } from './failover/recovery/steps/prepare-replacement.ts';
import { awaitRecoveryProtection, protectAfterRecovery } from './failover/recovery/steps/protect-after-recovery.ts';
import { awaitReplacement, startReplacement } from './failover/recovery/steps/replace-database.ts';
import { reportRecovery } from './failover/recovery/steps/report-recovery.ts';
import { acknowledgeEndpoint } from './incidents/acknowledge/acknowledge-endpoint.ts';
import { remindOfDeadlines } from './incidents/communication/remind-of-deadlines.ts';
import { planPages } from './incidents/escalation/steps/plan-pages.ts';
import { sendDuePages } from './incidents/escalation/steps/send-pages.ts';
import { signalsEndpoint } from './incidents/ingest/signals-endpoint.ts';
import { triageConsumers } from './incidents/ingest/triage-signals.ts';
import { auditPager } from './incidents/pager-audit/audit-pager.ts';
import { testPaging } from './incidents/pager-audit/test-paging.ts';
import { askForRunbook, awaitRunbookAnswer } from './incidents/runbooks/steps/ask-for-runbook.ts';
import { awaitRunbookEffect } from './incidents/runbooks/steps/await-runbook-effect.ts';
import { beginRunbook } from './incidents/runbooks/steps/begin-runbook.ts';
import { checkRunbook } from './incidents/runbooks/steps/check-runbook.ts';
import { endLongQueriesStep } from './incidents/runbooks/steps/end-long-queries.ts';
import { performRunbook } from './incidents/runbooks/steps/perform-runbook.ts';
import { reportRunbook } from './incidents/runbooks/steps/report-runbook.ts';
import { releaseHeldAlarmsTask } from './incidents/triage/release-held-alarms.ts';
import { runMissedTasks } from './maintenance/run-missed-tasks.ts';
import { checkVerificationAge } from './verify/check-verification-age.ts';
import { startVerifications } from './verify/start-verifications.ts';
import { awaitRestore } from './verify/steps/await-restore.ts';
import { awaitTeardown } from './verify/steps/await-teardown.ts';
import { checkIntegrity } from './verify/steps/check-integrity.ts';
import { compareContent } from './verify/steps/compare-content.ts';
import { pickRecoveryPoint } from './verify/steps/pick-recovery-point.ts';
import { recordVerdict } from './verify/steps/record-verdict.ts';
import { startRestore } from './verify/steps/start-restore.ts';
import { startTeardown } from './verify/steps/start-teardown.ts';
import {
  awaitStateRestore,
  compareState,
  recordStateVerdict,
  removeStateRestore,
  startStateRestore,
} from './verify/steps/verify-state-backup.ts';
import { verifyPointInTime } from './verify/verify-point-in-time.ts';
import { verifySecondRegion } from './verify/verify-second-region.ts';

/** THE registry: one line per scheduled task. */
export const tasks: readonly AnyTask[] = [
  backupDatabase,
  advanceRecoveryPoints,
  checkLogFreshness,
  expireRecoveryPoints,
  sweepOrphans,
  lockRecoveryPoints,
  backupStateTables,
  backupAuditLogTable,
  writeCanaries,
  startVerifications,
  verifyPointInTime,
  verifySecondRegion,
  checkVerificationAge,
  observeRegions,
  guardLease,
  keepFenceComplete,
  rehearseFailover,
  fullFailoverTest,
  releaseHeldAlarmsTask,
  auditPager,
  testPaging,
  remindOfDeadlines,
  sequenceAuditLog,
  checkAuditLog,
  verifyAuditLog,
  restoreTestAuditLog,
  sweepAuditTiles,
  runMissedTasks(() => tasks),
];

/** The steps of the state machines, by what their machines are for: each kind has its own Regions and its own denials (lib/stacks/region-stack.ts). */
export interface StepLists {
  /** Proves backups of databases, where they are judged. */
  readonly verification: readonly AnyStep[];
  /** Proves backups of Codeblue's own tables: in every Region. */
  readonly tableVerification: readonly AnyStep[];
  readonly failover: readonly AnyStep[];
  /** Runs in the Region that leads and works in the one that led before. */
  readonly failback: readonly AnyStep[];
  /** Rehearsals, on temporary databases, and full tests: both run in the Region that would take over. */
  readonly drill: readonly AnyStep[];
  /** Puts a damaged database back, with the steps of verifications for what it restores; reaches no other Region than the one that leads. */
  readonly recovery: readonly AnyStep[];
  /** Contains a breach and keeps the evidence: runs in the Region that leads, and shuts out in each that can. */
  readonly breach: readonly AnyStep[];
  /** Chases people until somebody answers: in every Region, for the incidents of that Region alone. */
  readonly escalation: readonly AnyStep[];
  /** Mends what an alarm is about: in every Region that can lead, and in that Region alone. */
  readonly runbooks: readonly AnyStep[];
}

const verificationSteps: readonly AnyStep[] = [
  pickRecoveryPoint,
  checkIntegrity,
  startRestore,
  awaitRestore,
  compareContent,
  startTeardown,
  awaitTeardown,
  recordVerdict,
];

const tableVerificationSteps: readonly AnyStep[] = [
  startStateRestore,
  awaitStateRestore,
  compareState,
  removeStateRestore,
  recordStateVerdict,
];

const failoverSteps: readonly AnyStep[] = [
  assessFailover,
  askHuman,
  awaitAnswer,
  claimEpoch,
  awaitFence,
  measureLoss,
  commitToNewPrimary,
  promoteReplica,
  scaleUp,
  awaitPromotion,
  noteBeginning,
  openPrimary,
  confirmWrites,
  moveTraffic,
  awaitStrength,
  tellPeople,
  recordFailover,
  giveLeaseBack,
  callHuman,
];

const failbackSteps: readonly AnyStep[] = [
  awaitOldRegion,
  listLostWrites,
  keepOldPrimary,
  rebuildOldRegion,
  awaitReplica,
  proveReplicaEqual,
  handOver,
  awaitHandOver,
  recordFailback,
];

const drillSteps: readonly AnyStep[] = [
  lookAtLiveSystem,
  makeRehearsal,
  awaitRehearsal,
  promoteTheRehearsal,
  writeToReplica,
  writeToClone,
  removeRehearsal,
  awaitRehearsalRemoval,
  reportRehearsal,
  moveForFullTest,
  awaitFullTestMove,
  watchFullTest,
  returnFromFullTest,
  awaitFullTestReturn,
  protectAfterFullTest,
  awaitFullTestProtection,
  reportFullTest,
];

const recoverySteps: readonly AnyStep[] = [
  holdForRecovery,
  keepDamagedDatabase,
  findCleanState,
  judgeRestoredCopy,
  prepareReplacement,
  startReplacement,
  awaitReplacement,
  protectAfterRecovery,
  awaitRecoveryProtection,
  giveUpRecovery,
  reportRecovery,
];

const breachSteps: readonly AnyStep[] = [
  holdForBreach,
  shutOutApplication,
  beginEvidence,
  tellOfBreach,
  exportEvidenceLogs,
  awaitEvidence,
  sealEvidence,
  recoverAfterBreach,
  awaitRecoveryAfterBreach,
  reportBreach,
];

const escalationSteps: readonly AnyStep[] = [planPages, sendDuePages];

const runbookSteps: readonly AnyStep[] = [
  checkRunbook,
  askForRunbook,
  awaitRunbookAnswer,
  beginRunbook,
  performRunbook,
  endLongQueriesStep,
  awaitRunbookEffect,
  reportRunbook,
];

export const stepLists: StepLists = {
  verification: verificationSteps,
  tableVerification: tableVerificationSteps,
  failover: failoverSteps,
  failback: failbackSteps,
  drill: drillSteps,
  recovery: recoverySteps,
  breach: breachSteps,
  escalation: escalationSteps,
  runbooks: runbookSteps,
};
export const steps: readonly AnyStep[] = Object.values(stepLists).flat();

/** What takes messages from queues, by what they are about: in every Region. */
export const consumerLists: { readonly incidents: readonly AnyConsumer[]; readonly audit: readonly AnyConsumer[] } = {
  incidents: triageConsumers(() => tasks),
  audit: [logAuditEvents],
};
export const consumers: readonly AnyConsumer[] = Object.values(consumerLists).flat();

/** Addresses that others ask, by what they are about: in every Region. */
export const endpointLists: { readonly incidents: readonly OpenEndpoint[]; readonly audit: readonly SignedEndpoint[] } = {
  incidents: [signalsEndpoint, acknowledgeEndpoint],
  audit: [auditEventsEndpoint],
};
export const endpoints: readonly AnyEndpoint[] = Object.values(endpointLists).flat();

/** Everything that a function can run. */
export const allOperations: readonly AnyOperation[] = [...tasks, ...steps, ...consumers, ...endpoints];

const find = <T extends AnyOperation>(among: readonly T[], name: string): T => {
  const found = among.find((operation) => operation.name === name);
  if (found) return found;
  throw new InvalidInput(`there is no operation "${name}"`, { hint: `There are: ${among.map((each) => each.name).join(', ')}.` });
};

/** By name. @throws InvalidInput naming those that exist */
export const taskNamed = (name: string): AnyTask => find(tasks, name);
export const stepNamed = (name: string): AnyStep => find(steps, name);
export const operationNamed = (name: string): AnyOperation => find(allOperations, name);
