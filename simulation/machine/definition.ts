import { z } from 'zod';
import { InvalidInput } from '../../functions/common/errors.ts';

/**
 * The part of the Amazon States Language that Codeblue's machines use, JSONPath flavour. Everything else is refused when the document is read:
 * a field that the interpreter would skip over would make it run another machine than the deployed one.
 */
const Seconds = z.number().nonnegative();
const described = { Comment: z.string().optional() };

const Condition: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    z.strictObject({ Variable: z.string(), StringEquals: z.string() }),
    z.strictObject({ Variable: z.string(), BooleanEquals: z.boolean() }),
    z.strictObject({ Variable: z.string(), IsPresent: z.boolean() }),
    z.strictObject({ And: z.array(Condition).min(1) }),
    z.strictObject({ Or: z.array(Condition).min(1) }),
    z.strictObject({ Not: Condition }),
  ]),
);
export type Condition =
  | { readonly Variable: string; readonly StringEquals: string }
  | { readonly Variable: string; readonly BooleanEquals: boolean }
  | { readonly Variable: string; readonly IsPresent: boolean }
  | { readonly And: readonly Condition[] }
  | { readonly Or: readonly Condition[] }
  | { readonly Not: Condition };

const Rule = z
  .looseObject({ Next: z.string() })
  .transform(({ Next, ...condition }) => ({ next: Next, condition: Condition.parse(condition) }));

const Retrier = z.strictObject({
  ErrorEquals: z.array(z.string()).min(1),
  IntervalSeconds: z.number().positive().default(1),
  MaxAttempts: z.int().nonnegative().default(3),
  BackoffRate: z.number().min(1).default(2),
  MaxDelaySeconds: z.number().positive().optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).default('NONE'),
});
export type Retrier = z.output<typeof Retrier>;

const Catcher = z.strictObject({ ErrorEquals: z.array(z.string()).min(1), Next: z.string(), ResultPath: z.string().default('$') });
export type Catcher = z.output<typeof Catcher>;

const then = { Next: z.string().optional(), End: z.literal(true).optional() };

const State = z.discriminatedUnion('Type', [
  z.strictObject({
    Type: z.literal('Task'),
    ...described,
    ...then,
    Resource: z.string(),
    TimeoutSeconds: Seconds.optional(),
    InputPath: z.string().default('$'),
    ResultPath: z.string().default('$'),
    Retry: z.array(Retrier).default([]),
    Catch: z.array(Catcher).default([]),
  }),
  z.strictObject({ Type: z.literal('Choice'), ...described, Choices: z.array(Rule).min(1), Default: z.string().optional() }),
  z
    .strictObject({ Type: z.literal('Wait'), ...described, ...then, Seconds: Seconds.optional(), TimestampPath: z.string().optional() })
    .refine((wait) => (wait.Seconds === undefined) !== (wait.TimestampPath === undefined), 'either Seconds or TimestampPath'),
  z.strictObject({ Type: z.literal('Pass'), ...described, ...then, Result: z.unknown().optional(), ResultPath: z.string().default('$') }),
  z.strictObject({ Type: z.literal('Succeed'), ...described }),
  z.strictObject({ Type: z.literal('Fail'), ...described, Error: z.string().optional(), Cause: z.string().optional() }),
]);
export type State = z.output<typeof State>;

const Definition = z.strictObject({
  Comment: z.string().optional(),
  QueryLanguage: z.literal('JSONPath').optional(),
  StartAt: z.string(),
  TimeoutSeconds: Seconds.optional(),
  States: z.record(z.string(), State),
});
export type Definition = z.output<typeof Definition>;

/** @throws InvalidInput for a document that the interpreter does not know in full, or with a state that leads nowhere */
export function parseDefinition(document: unknown): Definition {
  const parsed = Definition.safeParse(document);
  if (!parsed.success) throw new InvalidInput(`the machine uses what the interpreter does not know: ${z.prettifyError(parsed.error)}`);
  const { StartAt, States } = parsed.data;
  const targets = Object.values(States).flatMap((state) => {
    if (state.Type === 'Choice') return [...state.Choices.map(({ next }) => next), ...(state.Default ? [state.Default] : [])];
    const next = 'Next' in state && state.Next ? [state.Next] : [];
    return state.Type === 'Task' ? [...next, ...state.Catch.map(({ Next }) => Next)] : next;
  });
  const absent = [StartAt, ...targets].filter((name) => !States[name]);
  if (absent.length > 0) throw new InvalidInput(`the machine has no state ${absent.map((name) => `"${name}"`).join(', ')}`);
  return parsed.data;
}
