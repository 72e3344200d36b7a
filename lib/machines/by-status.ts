import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** A choice by what the step before found: `$.status` alone. What is not named goes to `otherwise`, which must be a safe end. */
export function byStatus<Status extends string>(
  scope: Construct,
  name: string,
  ways: { readonly [S in Status]?: sfn.IChainable },
  otherwise: sfn.IChainable,
): sfn.Choice {
  const choice = new sfn.Choice(scope, name);
  for (const [status, next] of Object.entries<sfn.IChainable | undefined>(ways)) {
    if (next) choice.when(sfn.Condition.stringEquals('$.status', status), next);
  }
  return choice.otherwise(otherwise);
}
