import { z } from 'zod';

const Rule = z.looseObject({ Next: z.string().optional() });
const State = z.looseObject({
  Type: z.enum(['Task', 'Wait', 'Choice', 'Succeed', 'Fail']),
  Resource: z.string().optional(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  TimeoutSeconds: z.number().optional(),
  Choices: z.array(Rule).default([]),
  Retry: z.array(z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number() })).default([]),
  Catch: z.array(z.object({ ErrorEquals: z.array(z.string()), ResultPath: z.string(), Next: z.string() })).default([]),
});
export type State = z.output<typeof State>;
export const Machine = z.object({ StartAt: z.string(), TimeoutSeconds: z.number(), States: z.record(z.string(), State) });
export type Machine = z.output<typeof Machine>;

/** What follows a state: every branch of a choice, and every catch; `failed` says whether a failure is then in the record. */
function following(state: State, failed: boolean): readonly { readonly name: string; readonly failed: boolean }[] {
  const taken = state.Choices.filter((rule) => !(failed && demandsNoFailure(rule))).flatMap((rule) => rule.Next ?? []);
  return [
    ...[state.Next, state.Default, ...taken].flatMap((name) => (name ? [{ name, failed }] : [])),
    ...state.Catch.map(({ Next }) => ({ name: Next, failed: true })),
  ];
}

/** A choice that is not taken while `$.failure` is in the record. */
function demandsNoFailure(rule: z.output<typeof Rule>): boolean {
  const NoFailure = z.looseObject({ Not: z.object({ Variable: z.literal('$.failure'), IsPresent: z.literal(true) }) });
  const all = z.object({ And: z.array(z.unknown()) }).safeParse(rule);
  return (all.success ? all.data.And : [rule]).some((part) => NoFailure.safeParse(part).success);
}

/** Every (state, failed) that an execution can get to: the state's name, with ` after a failure` where one is in the record. */
export function reachable(machine: Machine, without?: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [{ name: machine.StartAt, failed: false }];
  for (let next = queue.pop(); next; next = queue.pop()) {
    const key = `${next.name}${next.failed ? ' after a failure' : ''}`;
    if (next.name === without || seen.has(key)) continue;
    seen.add(key);
    const state = machine.States[next.name];
    if (!state) throw new Error(`no state "${next.name}"`);
    queue.push(...following(state, next.failed));
  }
  return seen;
}

export const ofType = (machine: Machine, type: State['Type']): readonly (readonly [name: string, state: State])[] =>
  Object.entries(machine.States).filter(([, state]) => state.Type === type);
