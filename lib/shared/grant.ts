import { Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { InvalidInput } from '../../functions/common/errors.ts';

type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** One IAM statement as data: what may be done to what, and why where the resource is a pattern. */
export interface Grant {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Conditions;
  /** Required when a resource holds a `*`: why no exact name will do. Becomes the reason of the acknowledgement. */
  readonly because?: string;
}

/** @throws InvalidInput when a resource is a pattern and nobody wrote why, or when an action is one */
export function grant(given: Grant): Grant {
  const pattern = given.resources.find((resource) => resource.includes('*'));
  if (pattern !== undefined && !given.because) {
    throw new InvalidInput(`the grant of ${given.actions.join(', ')} on the pattern "${pattern}" says no reason`, {
      hint: 'Name the exact resources, or say in `because` why that cannot be done.',
    });
  }
  const action = given.actions.find((name) => name.includes('*'));
  if (action !== undefined) {
    throw new InvalidInput(`the grant of "${action}" is a pattern`, { hint: 'List the actions by name.' });
  }
  return given;
}

export interface ExactRoleProps {
  /** Service that assumes the role, such as `lambda.amazonaws.com`. */
  readonly service: string;
  /** The service must be acting for this account. Left out for services whose documentation does not promise to say so. */
  readonly onlyFor?: string;
  readonly description: string;
  readonly grants: readonly Grant[];
  /** A policy of denials that stands above the grants. */
  readonly denials?: iam.IManagedPolicy;
}

/**
 * A role with exactly these grants. CDK cannot add statements to it: what it would add on its own is written in the grants
 * instead, so that one list is the whole truth. The policies are attached before anything can assume the role.
 */
export function exactRole(scope: Construct, id: string, { service, onlyFor, description, grants, denials }: ExactRoleProps): iam.IRole {
  const policies = packed(grants).map((some, index) => policyOf(scope, `${id}Policy${index === 0 ? '' : index + 1}`, some));
  const role = new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal(service, onlyFor ? { conditions: { StringEquals: { 'aws:SourceAccount': onlyFor } } } : {}),
    description: description.slice(0, 1000), // IAM's limit
    managedPolicies: denials ? [...policies, denials] : policies,
  });
  return role.withoutPolicyUpdates();
}

/** IAM takes 6 144 characters in a managed policy, white space apart; names that are known at deployment only may be longer than they look here. */
const policyCharacters = 5_000;

/** The grants in as many lists as they need policies, in order; IAM takes ten policies for a role. */
function packed(grants: readonly Grant[]): readonly (readonly Grant[])[] {
  const once = [...new Map(grants.map((each) => [JSON.stringify(each), each])).values()];
  const lists: Grant[][] = [[]];
  let characters = 0;
  for (const each of once) {
    const { because: _, ...written } = each;
    const length = JSON.stringify(written).length;
    if (characters + length > policyCharacters && characters > 0) {
      lists.push([]);
      characters = 0;
    }
    lists.at(-1)?.push(each);
    characters += length;
  }
  return lists;
}

function policyOf(scope: Construct, id: string, grants: readonly Grant[]): iam.ManagedPolicy {
  const policy = new iam.ManagedPolicy(scope, id, {
    statements: grants.map(
      ({ actions, resources, conditions }) =>
        new iam.PolicyStatement({ actions: [...actions], resources: [...resources], ...(conditions ? { conditions } : {}) }),
    ),
  });
  const reasons = new Map(
    grants.flatMap(({ resources, because }) => resources.flatMap((arn) => (because ? [[arn, because] as const] : []))),
  );
  for (const [arn, reason] of reasons) {
    if (arn.includes('*')) Validations.of(policy).acknowledge({ id: `AwsSolutions-IAM5[Resource::${arn}]`, reason });
  }
  return policy;
}
