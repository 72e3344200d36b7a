import { z } from 'zod';
import { resourcesOf, type Template } from './synthesized-app.ts';

const oneOrMany = <T extends z.ZodType>(schema: T) =>
  z.union([schema, z.array(schema)]).transform((value): z.output<T>[] => [value].flat() as z.output<T>[]);

const Statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMany(z.string()).default([]),
  /** In a denial: everything but these. */
  NotAction: oneOrMany(z.string()).optional(),
  /** References are shown as JSON. */
  Resource: oneOrMany(z.unknown()).transform((list) => list.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export type Statement = z.output<typeof Statement>;

const Ref = z.object({ Ref: z.string() });
const GetAtt = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const FunctionProperties = z.object({
  Role: GetAtt,
  Environment: z.object({ Variables: z.looseObject({ CODEBLUE_OPERATION: z.string() }) }),
});
const RoleProperties = z
  .looseObject({ ManagedPolicyArns: z.array(Ref) })
  .refine((role) => !('Policies' in role), 'a role with an inline policy');
const PolicyProperties = z.object({ PolicyDocument: z.object({ Statement: z.array(Statement) }) });

export interface FunctionPolicy {
  readonly operation: string;
  /** What is allowed. */
  readonly statements: readonly Statement[];
  readonly denials: readonly Statement[];
  /** As IAM counts it: without white space. */
  readonly characters: number;
}

/** What each function of a template may do, by following its role to its policies. Roles with inline policies do not parse. */
export function functionPolicies(template: Template): readonly FunctionPolicy[] {
  return resourcesOf(template, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
    const parsed = FunctionProperties.safeParse(Properties);
    if (!parsed.success) return []; // CDK's own provider
    const role = RoleProperties.parse(template.Resources[parsed.data.Role['Fn::GetAtt'][0]]?.Properties);
    const documents = role.ManagedPolicyArns.map(
      (policy) => PolicyProperties.parse(template.Resources[policy.Ref]?.Properties).PolicyDocument,
    );
    const all = documents.flatMap((document) => document.Statement);
    return [
      {
        operation: parsed.data.Environment.Variables.CODEBLUE_OPERATION,
        statements: all.filter(({ Effect }) => Effect === 'Allow'),
        denials: all.filter(({ Effect }) => Effect === 'Deny'),
        characters: Math.max(...documents.map((document) => JSON.stringify(document).length)),
      },
    ];
  });
}
