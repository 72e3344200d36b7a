import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';

/** A template as it was written; what parses it is the reader's business. */
export interface StackTemplate {
  readonly region: string;
  /** Template of the Region's own stack, or of one nested in it. */
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
      region: regionOf(stack),
      nested: stack.nested,
      template: JSON.parse(readFileSync(join(directory, stack.templateFile), 'utf8')),
    }));
}

/** A nested stack knows its Region as a token only. */
const regionOf = (stack: Stack): string => (stack.nestedStackParent ? regionOf(stack.nestedStackParent) : stack.region);
