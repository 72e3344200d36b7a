import { CfnOutput, Validations } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';

export interface PublicAddress {
  /** Id of the output that tells the address. */
  readonly output: string;
  /** What the address is for. */
  readonly description: string;
  /** Why anybody may ask. */
  readonly because: string;
}

/** Gives a function an address that anybody may ask without an AWS signature; whom it answers is the function's own to decide. */
export function publicAddress(worker: lambda.Function, { output, description, because }: PublicAddress): lambda.FunctionUrl {
  const address = worker.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.NONE });
  for (const permission of worker.node.children.filter((each) => each instanceof lambda.CfnPermission)) {
    Validations.of(permission).acknowledge({ id: 'HIPAA.Security-LambdaFunctionPublicAccessProhibited', reason: because });
  }
  new CfnOutput(worker, output, { value: address.url, description });
  return address;
}
