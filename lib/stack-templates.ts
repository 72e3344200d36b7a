import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';

/** A template as it was written; what parses it is the reader's business. */
export interface StackTemplate {
  readonly region: string;
  /** Of the stack, or of the one that it is nested in. */
  readonly stackName: string;
  /** Template of a stack of the Region, or of one nested in it. */
  readonly nested: boolean;
  readonly template: unknown;
}

/** Every template of a synthesized app, nested ones included: the list of the assembly leaves those out. */
export function stackTemplates(app: App): readonly StackTemplate[] {
  const { directory } = app.synth(); // once synthesized, the same assembly again
  return app.node
    .findAll()
    .filter((construct) => Stack.isStack(construct))
    .map((stack) => ({
      region: deployed(stack).region,
      stackName: deployed(stack).stackName,
      nested: stack.nested,
      template: JSON.parse(readFileSync(join(directory, stack.templateFile), 'utf8')),
    }));
}

/** A nested stack knows its Region as a token only. */
const deployed = (stack: Stack): Stack => (stack.nestedStackParent ? deployed(stack.nestedStackParent) : stack);
