import { CfnOutput, Fn, Stack, Tags } from 'aws-cdk-lib';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { tagKeys } from '../../functions/common/names.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import { runsHere } from '../../functions/maintenance/runs-here.ts';
import type { StepLists } from '../../functions/tasks.ts';
import { StateTables } from '../audit/state-tables.ts';
import { EvidenceBucket } from '../backup/evidence-bucket.ts';
import { LockedVault } from '../backup/locked-vault.ts';
import { CoordinationTable } from '../failover/coordination-table.ts';
import { hasFailoverMachine } from '../failover/failover-machines.ts';
import { OtherRegionsDenied } from '../failover/other-regions-denied.ts';
import { RecoveryMachines } from '../failover/recovery-machines.ts';
import { RehearsalNetwork } from '../failover/rehearsal-network.ts';
import { IsolatedNetwork } from '../network/isolated-network.ts';
import { productionNetwork } from '../network/production-network.ts';
import { AlarmTopic } from '../shared/alarm-topic.ts';
import type { BundledCode } from '../shared/operations-function.ts';
import { judges, type RegionScope, stackId } from '../shared/region-scope.ts';
import { RegionalKeys } from '../shared/regional-keys.ts';
import { ScheduledTask } from '../shared/scheduled-task.ts';
import { HomeRegionDenied } from '../verification/home-region-denied.ts';
import { VerificationMachines } from '../verification/verification-machines.ts';
import { AlarmStack } from './alarm-stack.ts';
import { AuditStack, worksOnAuditLog } from './audit-stack.ts';
import { IncidentStack } from './incident-stack.ts';
import { MovingStack } from './moving-stack.ts';
import { RegionWorkers } from './region-workers.ts';

export interface RegionStackProps {
  readonly scope: RegionScope;
  readonly tasks: readonly AnyTask[];
  readonly steps: StepLists;
  readonly bundle: BundledCode;
}

/** Everything of Codeblue in one Region. Regions know each other's resources by name only: no stack reads another Region's outputs. */
export class RegionStack extends Stack {
  constructor(parent: Construct, { scope, tasks, steps, bundle }: RegionStackProps) {
    const { operations, region, role } = scope;
    super(parent, stackId(scope), {
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
    const ground = { scope, keys, topic, tasks, bundle, production, isolated, rehearsal };
    const incidents = operations.incidents.mode === 'on' ? new IncidentStack(this, ground, steps) : undefined;
    const workers = new RegionWorkers(this, { ...ground, acknowledgeUrl: incidents?.acknowledgeUrl });

    const group = new ScheduleGroup(this, 'Schedules', { scheduleGroupName: `${operations.name}-codeblue` });
    for (const task of tasks.filter((each) => runsHere(each, operations, region) && !worksOnAuditLog(each))) {
      new ScheduledTask(this, { scope, task, worker: workers.make(task), keys, group });
    }
    const auditLog = new AuditStack(this, ground, group);
    for (const [name, { url }] of auditLog.addresses) {
      new CfnOutput(this, `${name}-url`, { value: url, description: 'Where services send audit events, signed (SigV4, service lambda)' });
    }
    const denied = role === 'primary' ? {} : { denials: new HomeRegionDenied(this, scope).policy };
    const verifiers = (isolated ? steps.verification : []).map((step) => workers.make(step, denied));
    const tableVerifiers = steps.tableVerification.map((step) => workers.make(step, denied));
    new VerificationMachines(this, scope, keys, [...verifiers, ...tableVerifiers]);
    if (isolated && hasFailoverMachine(scope)) {
      const stays = { denials: new OtherRegionsDenied(this, scope).policy, staysHome: true };
      // It inspects what it restored with the steps of verifications, so it stands beside them.
      const recoverers = steps.recovery.map((step) => workers.make(step, stays));
      new RecoveryMachines(this, scope, keys, [...recoverers, ...verifiers]);
    }
    if (hasFailoverMachine(scope)) new MovingStack(this, ground, steps);
    new AlarmStack(this, ground);
  }

  /** Zones by position: asking the account which it has would need credentials at synth. */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()));
  }
}
