import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Clock, systemClock } from '../common/clock.ts';
import { InvalidInput, messageOf } from '../common/errors.ts';
import { Region } from '../common/ids.ts';
import { auditTableName, environmentNames, isolatedSubnetGroupName, stateTableName } from '../common/names.ts';
import { Operations } from '../common/operations.ts';
import { parseAs } from '../common/parse.ts';

/** What every adapter is made from. */
export interface AwsSettings {
  /** The Region that this process runs in. */
  readonly region: Region;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly stateTable: string;
  readonly auditTable: string;
  readonly isolatedSubnetGroup: string;
  /** Security group of restored databases in `region`; only functions that restore have it. */
  readonly isolatedSecurityGroupId?: string;
  /** Security group of rehearsal databases in `region`; only functions that rehearse have it. */
  readonly rehearsalSecurityGroupId?: string;
  /** Address of the acknowledge endpoint of `region`; only functions that send pages have it. */
  readonly acknowledgeUrl?: string;
  /** Takes one line of CloudWatch's embedded metric format. Standard output in a function. */
  readonly writeLine: (line: string) => void;
}

const SecurityGroupId = z.string().regex(/^sg-[0-9a-z]+$/, 'a security group id such as sg-0abc1234');

const Environment = z.object({
  AWS_REGION: Region,
  [environmentNames.operations]: z.string().min(1).optional(),
  [environmentNames.stateTable]: z.string().min(3).optional(),
  [environmentNames.auditTable]: z.string().min(3).optional(),
  [environmentNames.isolatedSubnetGroup]: z.string().min(1).optional(),
  [environmentNames.acknowledgeUrl]: z.url({ protocol: /^https$/ }).optional(),
  [environmentNames.isolatedSecurityGroup]: SecurityGroupId.optional(),
  [environmentNames.rehearsalSecurityGroup]: SecurityGroupId.optional(),
});

/**
 * The settings of this process, from its environment. Names that the environment leaves out follow from the deployment's
 * name (functions/common/names.ts).
 *
 * @param given the deployment, when the caller has read it already (the command line)
 * @throws InvalidInput naming the variable or the path in the config
 */
export function settingsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  given: { readonly operations?: Operations; readonly clock?: Clock } = {},
): AwsSettings {
  const parsed = parseAs(Environment, environment, 'the environment');
  const operations = given.operations ?? readOperations(parsed.CODEBLUE_OPERATIONS ?? new URL('./operations.json', import.meta.url));
  const isolated = parsed.ISOLATED_SECURITY_GROUP_ID;
  const rehearsal = parsed.REHEARSAL_SECURITY_GROUP_ID;
  return {
    region: parsed.AWS_REGION,
    operations,
    clock: given.clock ?? systemClock,
    stateTable: parsed.STATE_TABLE ?? stateTableName(operations),
    auditTable: parsed.AUDIT_TABLE ?? auditTableName(operations),
    isolatedSubnetGroup: parsed.ISOLATED_SUBNET_GROUP ?? isolatedSubnetGroupName(operations),
    ...(parsed.ACKNOWLEDGE_URL ? { acknowledgeUrl: parsed.ACKNOWLEDGE_URL.replace(/\/+$/, '') } : {}),
    ...(isolated ? { isolatedSecurityGroupId: isolated } : {}),
    ...(rehearsal ? { rehearsalSecurityGroupId: rehearsal } : {}),
    // Not console.log: with JSON logging Lambda would wrap the line, and CloudWatch would find no metric in it.
    writeLine: (line) => void process.stdout.write(`${line}\n`),
  };
}

function readOperations(path: string | URL): Operations {
  try {
    return parseAs(Operations, JSON.parse(readFileSync(path, 'utf8')), 'the config of the deployment');
  } catch (cause) {
    if (cause instanceof InvalidInput) throw cause;
    throw new InvalidInput(`the config of the deployment cannot be read: ${messageOf(cause)}`, {
      hint: `${environmentNames.operations} names its file; without it, operations.json lies beside the bundle.`,
      cause,
    });
  }
}
