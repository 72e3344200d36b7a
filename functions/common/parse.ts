import { z } from 'zod';
import { InvalidInput } from './errors.ts';

/**
 * `value` as the schema's type. The message tells paths and what was expected there; it repeats nothing of the value.
 *
 * @param what names the thing in the error: `recovery point cb-hms-daily-20261121t070000z`
 * @throws InvalidInput
 */
export function parseAs<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(`${what} is not what it must be: ${z.prettifyError(parsed.error)}`);
}

/**
 * The same of JSON text. What JSON.parse throws repeats the text: it is not told.
 *
 * @throws InvalidInput
 */
export function parseJsonAs<S extends z.ZodType>(schema: S, text: string, what: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidInput(`${what} is no JSON`);
  }
  return parseAs(schema, value, what);
}
