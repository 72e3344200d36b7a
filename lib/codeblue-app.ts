import { App, type Stack } from 'aws-cdk-lib';
import recommendedFeatureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import type { Operations } from '../functions/common/operations.ts';
import type { AnyTask } from '../functions/common/task.ts';
import type { StepLists } from '../functions/tasks.ts';
import type { BundledCode } from './shared/operations-function.ts';
import { deploymentOrder, type RegionScope } from './shared/region-scope.ts';
import { LogCopyStack } from './stacks/log-copy-stack.ts';
import { RegionStack } from './stacks/region-stack.ts';

export interface CodeblueAppProps {
  readonly operations: Operations;
  readonly tasks: readonly AnyTask[];
  readonly steps: StepLists;
  readonly bundle: BundledCode;
  /** CloudFormation's own checks of each template: seconds of synth. On when deploying, off where templates are only read. */
  readonly validate: boolean;
  /** Where the cloud assembly goes; a temporary directory when left out and no CDK command says. */
  readonly outdir?: string;
}

/**
 * The whole deployment: one stack per Region. The primary comes last, because its global tables want the keys of the
 * other Regions. Before all of them comes the bucket in which the ring of copied logs closes; nothing else ties the stacks together.
 */
export function codeblueApp({ operations, tasks, steps, bundle, validate, outdir }: CodeblueAppProps): App {
  const app = new App({
    analyticsReporting: false,
    context: recommendedFeatureFlags, // here and not in cdk.json, so that an app in a test or in the lab is the deployed one
    builtinCloudFormationValidation: validate,
    treeMetadata: false,
    ...(outdir ? { outdir } : {}),
  });
  const primary: RegionScope = { operations, region: operations.regions.primary, role: 'primary' };
  let previous: Stack = new LogCopyStack(app, primary);
  for (const scope of deploymentOrder(operations)) {
    const stack = new RegionStack(app, { scope, tasks, steps, bundle });
    stack.addStackDependency(previous);
    previous = stack;
  }
  return app;
}
