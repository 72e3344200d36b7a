import { configure } from 'safe-stable-stringify';
import { InvalidInput } from './errors.ts';

/** Sorts names by UTF-16 code units and writes numbers and text as ECMAScript does, which is what RFC 8785 asks for. */
const stringify = configure({ strict: true, circularValue: Error });

/** Half of a character, as JSON of ECMAScript writes it: an escape that no backslash escapes. RFC 8785 has no form for it (section 3.2.2.2). */
const halfCharacter = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/**
 * Canonical JSON after RFC 8785. An absent value (`undefined`) of a name is left out.
 *
 * @throws InvalidInput for a number that is not finite, half of a character, and whatever JSON has no word for
 */
export function canonicalText(value: unknown): string {
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch (error) {
    throw new InvalidInput('the value has no canonical form', { cause: error });
  }
  if (text === undefined || (text.includes('\\ud') && halfCharacter.test(text))) throw new InvalidInput('the value has no canonical form');
  return text;
}
