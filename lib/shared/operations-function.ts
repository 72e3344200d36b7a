import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Region } from '../../functions/common/ids.ts';
import { environmentNames, functionName, partitionOf, queueArn } from '../../functions/common/names.ts';
import type { AnyOperation } from '../../functions/common/task.ts';
import { exactRole, type Grant, grant } from './grant.ts';
import { logClassOf, logRetention } from './log-class.ts';
import { grantsElsewhere, grantsForAll } from './permissions.ts';
import { withoutRedundantDependency } from './redundant-dependency.ts';
import type { RegionScope } from './region-scope.ts';
import type { RegionalKeys } from './regional-keys.ts';

/** The bundle that every function runs; `CODEBLUE_OPERATION` tells them apart. */
export interface BundledCode {
  /** Made once per stack: CDK binds an asset to the stack that uses it. */
  readonly code: () => lambda.Code;
  /** SHA-256 (hex) of the bundled JavaScript: proofs name it as the code that judged. */
  readonly sha256: string;
}

/** Where a function's network interfaces live. */
export interface FunctionNetwork {
  readonly vpc: ec2.IVpc;
  readonly subnets: readonly ec2.ISubnet[];
  readonly securityGroups: readonly ec2.ISecurityGroup[];
}

export interface OperationsFunctionProps {
  readonly scope: RegionScope;
  readonly operation: AnyOperation;
  readonly keys: RegionalKeys;
  readonly code: lambda.Code;
  readonly codeSha256: string;
  readonly taskNames: readonly string[];
  /** Left out for an operation that talks to AWS APIs only. */
  readonly network?: FunctionNetwork;
  /** Denials that stand above what the operation needs. */
  readonly denials?: iam.IManagedPolicy;
  /** See `RegionScope.staysHome`. */
  readonly staysHome?: boolean;
  /** Other Regions whose live databases it reaches as it does those of its own. */
  readonly alsoIn?: readonly Region[];
  /** Besides the variables that every function has. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Longest that an event may wait for its second and third attempt before it is a dead letter. */
const longestEventAge = Duration.hours(1);

/**
 * One operation as a function: a role with exactly the statements of its `needs`, a log group of its class, tracing, and
 * for a task the queue of what it could not do. A step has no such queue: its machine hears of every failure.
 */
export class OperationsFunction extends Construct {
  readonly operation: AnyOperation;
  readonly function: lambda.Function;
  readonly deadLetters: sqs.Queue | undefined;

  constructor(parent: Construct, props: OperationsFunctionProps) {
    super(parent, props.operation.name);
    const { scope, operation, keys, code, codeSha256, network } = props;
    const name = functionName(scope.operations, operation.name);
    this.operation = operation;

    const logGroup = new logs.LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${name}`,
      retention: logRetention(scope.operations, logClassOf(operation)),
      encryptionKey: keys.state,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.deadLetters =
      operation.kind === 'task'
        ? new sqs.Queue(this, 'DeadLetters', {
            queueName: `${name}-dead-letters`,
            encryptionMasterKey: keys.state,
            enforceSSL: true,
            retentionPeriod: Duration.days(14),
          })
        : undefined;
    const keyArns = { proofKeyArn: keys.proof?.keyArn, linkKeyArn: keys.links?.keyArn };
    const facts = { ...scope, ...keyArns, staysHome: props.staysHome ?? false, taskNames: props.taskNames };
    const role = exactRole(this, 'Role', {
      service: 'lambda.amazonaws.com',
      description: `Codeblue ${operation.name}: ${operation.needs.join(', ') || 'audit and ledger only'}`,
      grants: [
        ...grantsForAll(operation.needs, facts),
        ...(props.alsoIn ?? []).flatMap((region) => grantsElsewhere(operation.needs, { ...facts, region })),
        ...this.hostGrants(props, name),
      ],
      ...(props.denials ? { denials: props.denials } : {}),
    });

    this.function = new lambda.Function(this, 'Function', {
      functionName: name,
      description: operation.summary,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'lambda.handler',
      code,
      role,
      timeout: Duration.seconds(operation.timeout),
      memorySize: operation.memoryMegabytes,
      tracing: lambda.Tracing.ACTIVE,
      logGroup,
      loggingFormat: lambda.LoggingFormat.TEXT, // the logger and the metrics write JSON lines themselves; Lambda would wrap them
      environment: {
        [environmentNames.operation]: operation.name,
        [environmentNames.codeSha256]: codeSha256,
        // Lambda's Node leaves Amazon's own certificate authorities out unless told; RDS is signed by one of them.
        ...(network ? { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' } : {}),
        ...props.environment,
      },
      // Two more attempts, a minute and two minutes later; the ledger's claim makes them harmless when the first one worked.
      ...(this.deadLetters ? { deadLetterQueue: this.deadLetters, retryAttempts: 2, maxEventAge: longestEventAge } : {}),
      ...(operation.kind === 'endpoint' ? { reservedConcurrentExecutions: operation.concurrency } : {}),
      ...(network ? { vpc: network.vpc, vpcSubnets: { subnets: [...network.subnets] }, securityGroups: [...network.securityGroups] } : {}),
    });
    withoutRedundantDependency(this.function.node.defaultChild);
    acknowledgeFunctionRules(this.function, operation, network !== undefined);
  }

  /** What the function's host needs, whatever the operation does. */
  private hostGrants({ scope: { operations, region }, keys, network }: OperationsFunctionProps, name: string): readonly Grant[] {
    const own = `arn:${partitionOf(region)}:logs:${region}:${operations.account}:log-group:/aws/lambda/${name}`;
    return [
      grant({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [`${own}:*`],
        because: "streams of the function's own log group, named by Lambda",
      }),
      grant({
        actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
        resources: ['*'],
        because: 'X-Ray knows no resource for writing traces',
      }),
      ...(this.deadLetters
        ? [
            grant({ actions: ['sqs:SendMessage'], resources: [this.deadLetters.queueArn] }),
            grant({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keys.state.keyArn] }),
          ]
        : []),
      ...(this.operation.kind === 'consumer'
        ? [
            grant({
              actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
              resources: [queueArn(operations, region, this.operation.queue)],
            }),
            grant({ actions: ['kms:Decrypt'], resources: [keys.state.keyArn] }),
          ]
        : []),
      ...(network ? [interfaceGrant] : []),
    ];
  }
}

/** What Lambda itself does with the role's permission when it joins a VPC. */
const interfaceGrant = grant({
  actions: [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  resources: ['*'],
  because: 'Lambda joins the VPC with these; interfaces have no name before they exist, and describing knows no resource',
});

function acknowledgeFunctionRules(construct: lambda.Function, operation: AnyOperation, inVpc: boolean): void {
  const resource = construct.node.defaultChild ?? construct; // the function alone: an address and who may ask are beneath the construct too
  const acknowledge = (id: string, reason: string) => Validations.of(resource).acknowledge({ id, reason });
  const concurrency = unreserved[operation.kind];
  if (concurrency) {
    const reason = `${concurrency}; reserving concurrency would take it from the hospital software in this account`;
    acknowledge('HIPAA.Security-LambdaConcurrency', reason);
  }
  if (!inVpc)
    acknowledge(
      'HIPAA.Security-LambdaInsideVPC',
      'talks to AWS APIs only and opens no connection to a database; a VPC would add a way in, not take one away',
    );
  const deadLetters = withoutDeadLetters[operation.kind];
  if (deadLetters) acknowledge('HIPAA.Security-LambdaDLQ', deadLetters);
}

/** Why no concurrency is reserved. */
const unreserved: Readonly<Partial<Record<AnyOperation['kind'], string>>> = {
  task: 'runs from its own schedules, one run at a time by the claim in the ledger',
  step: 'runs once per execution of its machine',
  consumer: "its queue's event source bounds how many run at a time",
};

/** Why there is no queue of what the function could not do. */
const withoutDeadLetters: Readonly<Partial<Record<AnyOperation['kind'], string>>> = {
  step: 'is called synchronously by its state machine, which retries, catches and records every failure',
  consumer: 'its queue delivers what failed again, and has a dead-letter queue of its own',
  endpoint: 'answers its callers synchronously: who hears no success asks again',
};
