import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * CDK says twice that a function or machine comes after its role: by the reference to the role and by `DependsOn`.
 * cfn-lint objects to the second (W3005), and rightly: it hides dependencies that are real.
 */
export function withoutRedundantDependency(resource: IConstruct | undefined): void {
  if (CfnResource.isCfnResource(resource)) resource.addDeletionOverride('DependsOn');
}
