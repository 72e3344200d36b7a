import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { machineName } from '../../functions/common/names.ts';
import type { MachineName } from '../../functions/maintenance/ports.ts';
import { exactRole, grant } from '../shared/grant.ts';
import { logRetention } from '../shared/log-class.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import { withoutRedundantDependency } from '../shared/redundant-dependency.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { StepFunctions } from './machine-step.ts';

export interface OperationsMachineProps {
  readonly scope: RegionScope;
  readonly keys: RegionalKeys;
  readonly name: MachineName;
  /** Every step of this Region; the definition picks its own. */
  readonly workers: readonly OperationsFunction[];
  /** Longest execution; steps that poll give up by themselves before it. */
  readonly limit: Duration;
  readonly definition: (scope: Construct, steps: StepFunctions) => sfn.IChainable;
}

/** A Standard state machine with its log, its traces and a role that may call its own steps and nothing else. */
export class OperationsMachine extends Construct {
  readonly name: MachineName;
  readonly machine: sfn.StateMachine;

  constructor(parent: Construct, { scope, keys, name, workers, limit, definition }: OperationsMachineProps) {
    super(parent, name);
    this.name = name;
    const { operations } = scope;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      // CloudWatch Logs takes deliveries of Step Functions without a resource policy under this prefix only.
      logGroupName: `/aws/vendedlogs/states/${machineName(operations, name)}`,
      retention: logRetention(operations, 'backup'),
      encryptionKey: keys.state,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const steps = new StepFunctions(workers);
    const definitionBody = sfn.DefinitionBody.fromChainable(definition(this, steps)); // before the role: it says which steps are called
    const role = exactRole(this, 'Role', {
      service: 'states.amazonaws.com',
      onlyFor: operations.account,
      description: `Codeblue machine ${name}: calls its steps`,
      grants: [
        grant({ actions: ['lambda:InvokeFunction'], resources: steps.usedArns }),
        grant({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keys.state.keyArn] }),
        grant({
          actions: [
            'logs:CreateLogDelivery',
            'logs:GetLogDelivery',
            'logs:UpdateLogDelivery',
            'logs:DeleteLogDelivery',
            'logs:ListLogDeliveries',
            'logs:PutResourcePolicy',
            'logs:DescribeResourcePolicies',
            'logs:DescribeLogGroups',
          ],
          resources: ['*'],
          because: 'log deliveries know no resource; Step Functions sets its own up with these',
        }),
        grant({
          actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
          resources: ['*'],
          because: 'X-Ray knows no resource for writing traces',
        }),
      ],
    });
    this.machine = new sfn.StateMachine(this, 'Machine', {
      stateMachineName: machineName(operations, name),
      stateMachineType: sfn.StateMachineType.STANDARD,
      definitionBody,
      role: role,
      timeout: limit,
      tracingEnabled: true,
      encryptionConfiguration: new sfn.CustomerManagedEncryptionConfiguration(keys.state),
      logs: { destination: logGroup, level: sfn.LogLevel.ALL, includeExecutionData: false },
    });
    withoutRedundantDependency(this.machine.node.defaultChild);
  }
}
