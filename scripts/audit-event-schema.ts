/** `node scripts/audit-event-schema.ts`: docs/audit-event.schema.json from the schema that events are judged by. `--check` says whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SubmittedEvent, standardActions } from '../functions/audit/events/event.ts';
import { wanted } from '../functions/audit/events/rejection.ts';

const file = fileURLToPath(new URL('../docs/audit-event.schema.json', import.meta.url));

/** In the place of patterns that say less than the door asks for, or say it in words that few regular expressions know. */
const patterns: Readonly<Record<string, string>> = {
  // Versions 4 and 7 alone, in lower case.
  eventId: '^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  // `\p{Cc}\p{Zl}\p{Zp}` spelled out; what is no UTF-8 is no JSON either.
  ...Object.fromEntries(['userId', 'resource', 'userAgent'].map((field) => [field, '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]+$'])),
  // Not Codeblue itself.
  service: '^(?!codeblue$)[a-z][a-z0-9-]{0,40}$',
};

const { $schema, properties = {}, ...rest } = z.toJSONSchema(SubmittedEvent, { io: 'input' });
const schema = {
  $schema,
  title: 'Audit event of Codeblue',
  description: 'What an application sends: docs/audit-events.md. An event has 64 KB of canonical JSON (RFC 8785) at most.',
  ...rest,
  properties: Object.fromEntries(
    Object.entries(properties).map(([field, property]) => [
      field,
      {
        description: Object.entries(wanted).find(([name]) => name === field)?.[1],
        ...(typeof property === 'object' ? property : {}),
        ...(patterns[field] ? { pattern: patterns[field] } : {}),
        ...(field === 'action' ? { examples: standardActions } : {}),
      },
    ]),
  ),
};
const text = `${JSON.stringify(schema, null, 2)}\n`;

if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('docs/audit-event.schema.json is not what the schema says: run `npm run docs:audit-event`\n');
  process.exitCode = 1;
}
