import { Duration, Fn, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { functionName, partitionOf } from '../../functions/common/names.ts';
import { failoverPermissions } from '../shared/failover-permissions.ts';
import { exactRole, grant } from '../shared/grant.ts';
import { logRetention } from '../shared/log-class.ts';
import { publicAddress } from '../shared/public-address.ts';
import { withoutRedundantDependency } from '../shared/redundant-dependency.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/** Two intervals of 10 s, the shortest that Route 53 has, turn a health check: traffic follows the lease within half a minute. */
const probing = { requestInterval: 10, failureThreshold: 2 };

/** Health checkers of a dozen Regions ask every 10 s each, and an answer takes milliseconds: more than this at once is somebody else. */
const concurrency = 10;

const name = 'lease-endpoint';

/**
 * An address of this Region that answers 200 while the Region holds the lease, with the health check that asks it and the failover record
 * that follows (where the config names records). All of it is made at deployment; a failover changes the lease, and nothing here.
 *
 * When both health checks fail Route 53 answers with the primary all the same. That is harmless: a database without a lease refuses writes.
 */
export class LeaseEndpoint extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, code: lambda.Code) {
    super(parent, 'LeaseEndpoint');
    const { operations, region } = scope;
    const fullName = functionName(operations, name);
    const logGroup = new logs.LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${fullName}`,
      retention: logRetention(operations, 'application'),
      encryptionKey: keys.state,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const role = exactRole(this, 'Role', {
      service: 'lambda.amazonaws.com',
      description: `Codeblue ${name}: reads who leads`,
      grants: [
        ...failoverPermissions('coordination:read', scope),
        grant({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [`arn:${partitionOf(region)}:logs:${region}:${operations.account}:log-group:/aws/lambda/${fullName}:*`],
          because: "streams of the function's own log group, named by Lambda",
        }),
      ],
    });
    const handler = new lambda.Function(this, 'Function', {
      functionName: fullName,
      description: 'Answers 200 while this Region holds the lease, else 503; health checks ask it.',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'lease-endpoint.handler',
      code,
      role,
      timeout: Duration.seconds(5),
      memorySize: 256,
      logGroup,
      loggingFormat: lambda.LoggingFormat.TEXT,
      reservedConcurrentExecutions: concurrency,
    });
    withoutRedundantDependency(handler.node.defaultChild);
    const address = publicAddress(handler, {
      output: 'Url',
      description: `200 while ${region} holds the lease, else 503`,
      because: 'health checkers cannot sign requests; the answer is a status without a body, and nobody can ask for more',
    });
    acknowledgeFunction(handler);
    if (operations.failover.routing.dns) this.addRecord(scope, Fn.select(2, Fn.split('/', address.url)));
  }

  /** Route 53 is one for all Regions; each Region's stack makes its own health check and record, so that no stack waits for another. */
  private addRecord({ operations, region, role }: RegionScope, host: string): void {
    const { dns } = operations.failover.routing;
    const target = dns?.targets[region];
    if (!dns || !target) return;
    const healthCheck = new route53.CfnHealthCheck(this, 'HealthCheck', {
      healthCheckConfig: { type: 'HTTPS', fullyQualifiedDomainName: host, port: 443, resourcePath: '/', enableSni: true, ...probing },
      healthCheckTags: [{ key: 'Name', value: `${operations.name} lease in ${region}` }],
    });
    new route53.CfnRecordSet(this, 'Record', {
      hostedZoneId: dns.hostedZoneId,
      name: dns.recordName,
      type: 'A',
      failover: role === 'primary' ? 'PRIMARY' : 'SECONDARY',
      setIdentifier: region,
      healthCheckId: healthCheck.attrHealthCheckId,
      aliasTarget: { dnsName: target.dnsName, hostedZoneId: target.hostedZoneId, evaluateTargetHealth: false },
    });
  }
}

function acknowledgeFunction(handler: lambda.Function): void {
  const resource = handler.node.defaultChild ?? handler;
  Validations.of(resource).acknowledge(
    {
      id: 'HIPAA.Security-LambdaInsideVPC',
      reason: 'reads one item of a table, and is asked by health checkers of Route 53, which come from the internet',
    },
    { id: 'HIPAA.Security-LambdaDLQ', reason: 'answers health checks synchronously: who does not hear an answer asks again after 10 s' },
  );
}
