import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { FunctionNetwork } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';

/**
 * Where rehearsals of a failover live. RDS wants every replica of one source that lies in one Region in one VPC, so a rehearsal cannot lie in the
 * isolated network: it stands beside the real replica, in its subnets, and its security group keeps everybody out but Codeblue's own
 * functions. Those wear a group of their own, without rules, besides the one that the config names.
 */
export class RehearsalNetwork extends Construct {
  /** Worn by rehearsal databases: answers our functions on the database ports and calls nobody. */
  readonly rehearsalGroup: ec2.SecurityGroup;
  /** The production network with the group by which rehearsals know us. */
  readonly production: FunctionNetwork;

  constructor(parent: Construct, { operations }: RegionScope, production: FunctionNetwork) {
    super(parent, 'Rehearsal');
    const group = (id: string, description: string) =>
      new ec2.SecurityGroup(this, id, { vpc: production.vpc, description, allowAllOutbound: false, disableInlineRules: true });
    const callers = group('Callers', 'Codeblue: functions that may reach rehearsals');
    this.rehearsalGroup = group('Databases', 'Codeblue: rehearsals of a failover, reached by our functions only');
    for (const port of new Set(operations.databases.map((database) => database.port))) {
      this.rehearsalGroup.addIngressRule(callers, ec2.Port.tcp(port), 'functions that rehearse');
      callers.addEgressRule(this.rehearsalGroup, ec2.Port.tcp(port), 'rehearsals');
    }
    this.production = { ...production, securityGroups: [...production.securityGroups, callers] };
  }
}
