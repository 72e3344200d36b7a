import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { z } from 'zod';
import { InvalidInput } from '../functions/common/errors.ts';
import { machineName } from '../functions/common/names.ts';
import type { Operations } from '../functions/common/operations.ts';
import { runsRunbooks } from '../functions/incidents/runbooks/targets.ts';
import { type MachineName, machineNames } from '../functions/maintenance/ports.ts';
import { stepLists, tasks } from '../functions/tasks.ts';
import { codeblueApp } from './codeblue-app.ts';
import { stackTemplates } from './stack-templates.ts';

/** A state machine as CloudFormation would deploy it. */
export interface SynthesizedMachine {
  readonly name: MachineName;
  /** Amazon States Language. The `Resource` of each task is the name of an operation instead of a function's ARN. */
  readonly definition: StateMachineDefinition;
}

const StateMachineDefinition = z.looseObject({
  StartAt: z.string(),
  TimeoutSeconds: z.number(),
  States: z.record(z.string(), z.looseObject({ Type: z.string(), Resource: z.string().optional() })),
});
export type StateMachineDefinition = z.output<typeof StateMachineDefinition>;

const FunctionResource = z.object({
  Type: z.literal('AWS::Lambda::Function'),
  Properties: z.object({ Environment: z.object({ Variables: z.object({ CODEBLUE_OPERATION: z.string() }) }) }),
});
const MachineResource = z.object({
  Type: z.literal('AWS::StepFunctions::StateMachine'),
  Properties: z.object({
    StateMachineName: z.string(),
    DefinitionString: z.union([
      z.string(),
      z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.union([z.string(), z.looseObject({})]))]) }),
    ]),
  }),
});
const FunctionReference = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
const Template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

/**
 * The machines exactly as the primary Region's templates have them: the lab and the tests run what is deployed. Synthesizes
 * in a temporary directory, without bundling and without CloudFormation's checks: about a second.
 *
 * @throws InvalidInput when a machine refers to anything but a function of Codeblue
 */
export function synthesizedMachines(operations: Operations): readonly SynthesizedMachine[] {
  const outdir = mkdtempSync(join(tmpdir(), 'codeblue-synth-'));
  try {
    const bundle = { code: () => Code.fromInline('// only the machines are read'), sha256: '0'.repeat(64) };
    const app = codeblueApp({ operations, tasks, steps: stepLists, bundle, validate: false, outdir });
    const ofPrimary = stackTemplates(app).filter(({ region }) => region === operations.regions.primary);
    const resources = ofPrimary.map(({ template }) => Template.parse(template).Resources);
    return machinesIn({ Resources: Object.assign({}, ...resources) }, operations);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The machines of one template, in the order of `machineNames`. A deployment that never moves has none that moves it, and one whose alarms go by mail none that chases people. */
function machinesIn({ Resources }: z.output<typeof Template>, operations: Operations): readonly SynthesizedMachine[] {
  const operationOf = new Map<string, string>();
  for (const [id, resource] of Object.entries(Resources)) {
    const parsed = FunctionResource.safeParse(resource);
    if (parsed.success) operationOf.set(id, parsed.data.Properties.Environment.Variables.CODEBLUE_OPERATION);
  }
  const machines = Object.values(Resources).flatMap((resource) => MachineResource.safeParse(resource).data?.Properties ?? []);
  const moving: readonly MachineName[] = [
    'failover',
    'failback',
    'failover-rehearsal',
    'failover-full-test',
    'recover-database',
    'contain-breach',
  ];
  const deployed = machineNames
    .filter((name) => !moving.includes(name) || operations.failover.mode !== 'off')
    .filter((name) => name !== 'escalate-incident' || operations.incidents.mode === 'on')
    .filter((name) => name !== 'run-runbook' || runsRunbooks(operations, operations.regions.primary));
  return deployed.map((name) => {
    const machine = machines.find((each) => each.StateMachineName === machineName(operations, name));
    if (!machine) throw new InvalidInput(`the template has no machine "${name}"`);
    const { DefinitionString: text } = machine;
    const pieces = typeof text === 'string' ? [text] : text['Fn::Join'][1];
    const joined = pieces.map((piece) => (typeof piece === 'string' ? piece : operationNamed(piece, operationOf, name))).join('');
    return { name, definition: StateMachineDefinition.parse(JSON.parse(joined)) };
  });
}

function operationNamed(piece: unknown, operationOf: ReadonlyMap<string, string>, machine: string): string {
  const operation = operationOf.get(FunctionReference.safeParse(piece).data?.['Fn::GetAtt'][0] ?? '');
  if (operation) return operation;
  throw new InvalidInput(`the machine "${machine}" refers to something that is no function of Codeblue: ${JSON.stringify(piece)}`);
}
