import { notJson } from '../events/accept.ts';

const lineTypes = /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines)\b/i;

/**
 * What a body holds: one JSON text, or JSON of each line where the content type says so. A line that is no JSON is `notJson` and stands for itself; empty ones are none.
 *
 * @returns undefined when the body as a whole is no JSON
 */
export function readBody(body: string, contentType: string | undefined): unknown {
  if (!lineTypes.test(contentType ?? '')) {
    const read = jsonOf(body);
    return read === notJson ? undefined : read;
  }
  return body.split('\n').flatMap((line) => (line.trim() === '' ? [] : [jsonOf(line)]));
}

/** Parsed JSON, or `notJson`. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return notJson;
  }
}
