import canonicalize from 'canonicalize';
import { InvalidInput } from './errors.ts';

/**
 * Canonical JSON after RFC 8785. An absent value (`undefined`) of a name is left out.
 *
 * @throws InvalidInput for a number that is not finite, half of a character, and whatever JSON has no word for
 */
export function canonicalText(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (error) {
    throw new InvalidInput('the value has no canonical form', { cause: error });
  }
  if (text === undefined) throw new InvalidInput('the value has no canonical form');
  return text;
}
