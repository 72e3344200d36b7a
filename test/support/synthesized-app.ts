import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { z } from 'zod';
import type { Operations } from '../../functions/common/operations.ts';
import { stepLists, tasks } from '../../functions/tasks.ts';
import { codeblueApp } from '../../lib/codeblue-app.ts';
import { stackTemplates } from '../../lib/stack-templates.ts';
import { testOperations } from './operations.ts';

const Resource = z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) });
export const Template = z.looseObject({ Resources: z.record(z.string(), Resource) });
export type Template = z.output<typeof Template>;
export type Resource = z.output<typeof Resource>;

export interface SynthesizedApp {
  readonly app: App;
  readonly operations: Operations;
  /** Everything in one Region, with what is in nested stacks. @throws when there is none */
  template(region: string): Template;
  readonly templates: readonly Template[];
  /** One by one, nested ones included: what CloudFormation's limits count. */
  readonly stacks: readonly { readonly region: string; readonly stackName: string; readonly template: Template }[];
}

/** The whole app as templates: no bundling, no checks by CloudFormation. About a second: share one per test file. */
export function synthesizedApp(operations: Operations = testOperations()): SynthesizedApp {
  const outdir = mkdtempSync(join(tmpdir(), 'codeblue-synth-'));
  try {
    const bundle = { code: () => Code.fromInline('// templates only'), sha256: '0'.repeat(64) };
    const app = codeblueApp({ operations, tasks, steps: stepLists, bundle, validate: false, outdir });
    const written = stackTemplates(app).map(({ region, stackName, template }) => ({
      region,
      stackName,
      template: Template.parse(template),
    }));
    const byRegion = new Map<string, Template>();
    for (const { region, template } of written) {
      byRegion.set(region, { ...template, Resources: { ...byRegion.get(region)?.Resources, ...template.Resources } });
    }
    return {
      app,
      operations,
      templates: [...byRegion.values()],
      stacks: written,
      template(region) {
        const found = byRegion.get(region);
        if (!found) throw new Error(`no stack in ${region}`);
        return found;
      },
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Resources of a type, with their logical ids. */
export const resourcesOf = (template: Template, type: string): readonly (readonly [id: string, resource: Resource])[] =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
