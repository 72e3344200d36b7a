import { Validations } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks, HIPAASecurityChecks } from 'cdk-nag';
import type { Operations } from '../functions/common/operations.ts';
import { stepLists, tasks } from '../functions/tasks.ts';
import { bundleFunctions } from '../scripts/bundle.ts';
import { codeblueApp } from './codeblue-app.ts';
import { refuseCoverageGaps } from './coverage.ts';

/**
 * Bundles the functions, synthesizes every Region, and lets CloudFormation's own checks and cdk-nag (AwsSolutions, HIPAA
 * Security) judge the templates; what they find is printed and fails the run.
 *
 * @throws InvalidInput when pages would reach nobody at some time of the coming year
 * @param outdir left out when the CDK command line says where
 * @returns one line per stack
 */
export async function synthesize(operations: Operations, outdir?: string): Promise<readonly string[]> {
  refuseCoverageGaps(operations, new Date());
  const { directory, codeSha256 } = await bundleFunctions({ operations });
  const bundle = { code: () => Code.fromAsset(directory), sha256: codeSha256 };
  const app = codeblueApp({ operations, tasks, steps: stepLists, bundle, validate: true, ...(outdir ? { outdir } : {}) });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new HIPAASecurityChecks(app));
  return app.synth().stacks.map(({ stackName, template }) => `${stackName}: ${Object.keys(template.Resources).length} resources`);
}
