import { Fn, Stack, Tags } from 'aws-cdk-lib';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { environmentNames, tagKeys } from '../../functions/common/names.ts';
import type { Need } from '../../functions/common/ports.ts';
import type { AnyOperation, AnyTask } from '../../functions/common/task.ts';
import type { StepLists } from '../../functions/tasks.ts';
import { StateTables } from '../audit/state-tables.ts';
import { addBackupAlarms } from '../backup/backup-alarms.ts';
import { EvidenceBucket } from '../backup/evidence-bucket.ts';
import { LockedVault } from '../backup/locked-vault.ts';
import { CoordinationTable } from '../failover/coordination-table.ts';
import { FailbackMachines } from '../failover/failback-machines.ts';
import { addFailoverAlarms } from '../failover/failover-alarms.ts';
import { FailoverMachines, hasFailoverMachine } from '../failover/failover-machines.ts';
import { LeaseEndpoint } from '../failover/lease-endpoint.ts';
import { OtherRegionsDenied } from '../failover/other-regions-denied.ts';
import { RehearsalNetwork } from '../failover/rehearsal-network.ts';
import { addOverdueAlarm, addTaskAlarms } from '../maintenance/task-alarms.ts';
import { IsolatedNetwork } from '../network/isolated-network.ts';
import { productionNetwork } from '../network/production-network.ts';
import { AlarmTopic } from '../shared/alarm-topic.ts';
import { type BundledCode, type FunctionNetwork, OperationsFunction } from '../shared/operations-function.ts';
import { judges, type RegionScope } from '../shared/region-scope.ts';
import { RegionalKeys } from '../shared/regional-keys.ts';
import { ScheduledTask } from '../shared/scheduled-task.ts';
import { HomeRegionDenied } from '../verification/home-region-denied.ts';
import { addVerificationAlarms } from '../verification/verification-alarms.ts';
import { VerificationMachines } from '../verification/verification-machines.ts';

export interface RegionStackProps {
  readonly scope: RegionScope;
  readonly tasks: readonly AnyTask[];
  readonly steps: StepLists;
  readonly bundle: BundledCode;
}

/** What makes databases in the isolated network: restores, and clones of Aurora to rehearse with. */
const madeIsolated: ReadonlySet<Need> = new Set(['databases:restore', 'replicas:rehearse']);

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Everything of Codeblue in one Region. Regions know each other's resources by name only: no stack reads another's outputs. */
export class RegionStack extends Stack {
  constructor(parent: Construct, { scope, tasks, steps, bundle }: RegionStackProps) {
    const { operations, region, role } = scope;
    super(parent, `${capitalized(operations.name)}-Codeblue-${region}`, {
      env: { account: operations.account, region },
      description: `Codeblue for ${operations.name}, ${role} Region: backups that prove themselves`,
      terminationProtection: true,
    });
    Tags.of(this).add(tagKeys.owner, operations.name);

    const keys = new RegionalKeys(this, scope);
    const topic = new AlarmTopic(this, scope, keys);
    new EvidenceBucket(this, scope, keys);
    const canLead = role !== 'tertiary';
    const moves = operations.failover.mode !== 'off';
    if (role === 'primary') new StateTables(this, scope, keys);
    if (role === 'primary' && moves) new CoordinationTable(this, scope, keys);
    if (canLead) new LockedVault(this, scope, keys);

    const isolated = judges(scope) ? new IsolatedNetwork(this, scope, keys) : undefined;
    const live = productionNetwork(this, scope);
    const rehearsal = live && moves && canLead ? new RehearsalNetwork(this, scope, live) : undefined;
    const production = rehearsal?.production ?? live;
    const networkOf = ({ network }: AnyOperation): FunctionNetwork | undefined =>
      ({ none: undefined, production, 'production-if-any': production, isolated: isolated?.verifiers })[network];
    const denied = isolated && role !== 'primary' ? new HomeRegionDenied(this, scope).policy : undefined;
    const code = bundle.code();
    const worker = (operation: AnyOperation, denials?: IManagedPolicy, staysHome = false): OperationsFunction =>
      new OperationsFunction(this, {
        scope,
        operation,
        keys,
        code,
        codeSha256: bundle.sha256,
        // Tasks that may be run late: others, and those without a schedule in this deployment, nobody invokes.
        taskNames: tasks.filter((task) => task.catchUp && task.schedules(operations).length > 0).map((task) => task.name),
        network: networkOf(operation),
        ...(denials ? { denials } : {}),
        staysHome,
        environment: {
          ...(isolated && operation.needs.some((need) => madeIsolated.has(need))
            ? { [environmentNames.isolatedSecurityGroup]: isolated.restoredGroup.securityGroupId }
            : {}),
          ...(rehearsal && operation.needs.includes('replicas:rehearse')
            ? { [environmentNames.rehearsalSecurityGroup]: rehearsal.rehearsalGroup.securityGroupId }
            : {}),
        },
      });

    const group = new ScheduleGroup(this, 'Schedules', { scheduleGroupName: `${operations.name}-codeblue` });
    for (const task of tasks.filter((each) => runsHere(each, scope, production))) {
      const taskWorker = worker(task);
      new ScheduledTask(this, { scope, task, worker: taskWorker, keys, group });
      addTaskAlarms(this, topic, scope, taskWorker, task);
    }
    if (isolated) {
      new VerificationMachines(
        this,
        scope,
        keys,
        topic,
        steps.verification.map((step) => worker(step, denied)),
      );
      addVerificationAlarms(this, topic, scope);
    }
    if (hasFailoverMachine(scope)) {
      const { policy } = new OtherRegionsDenied(this, scope);
      new FailoverMachines(
        this,
        scope,
        keys,
        topic,
        steps.failover.map((step) => worker(step, policy, true)),
      );
      new FailbackMachines(
        this,
        scope,
        keys,
        topic,
        steps.failback.map((step) => worker(step)),
      );
      new LeaseEndpoint(this, scope, keys, code);
    }
    addOverdueAlarm(this, topic, scope);
    addBackupAlarms(this, topic, scope);
    addFailoverAlarms(this, topic, scope);
  }

  /** Zones by position: asking the account which it has would need credentials at synth. */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()));
  }
}

/** Tasks of the active Region run where it can be; those that reach live databases, where such a database lives. */
function runsHere(task: AnyTask, { operations, role }: RegionScope, production: FunctionNetwork | undefined): boolean {
  if (task.schedules(operations).length === 0) return false;
  if (task.network === 'production' && !production) return false;
  return task.runsIn === 'every' || role !== 'tertiary';
}
