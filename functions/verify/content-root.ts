import { createHash } from 'node:crypto';
import { canonicalText } from '../common/canonical-json.ts';
import type { Inspection } from './inspection.ts';
import { schemaFingerprint } from './schema-objects.ts';
import { tableId } from './tables.ts';

/**
 * One SHA-256 (hex) over all that a copy holds: per database the totals of every table, the fingerprint of the schema with the
 * definitions of sequences, and the identity, as RFC 8785 JSON. Every restore of one snapshot has the same one; where sequences stand is left
 * out, because PostgreSQL logs them ahead of use, and so are unlogged tables and schema `codeblue`.
 *
 * @returns undefined when some table could not be read: half a copy has no root
 */
export function contentRoot(inspection: Inspection): string | undefined {
  const unread = inspection.databases.some(
    (database) => database.errors.length > 0 || database.tables.some((table) => table.unread !== undefined),
  );
  if (unread || inspection.databases.length === 0) return undefined;
  const content = {
    format: 'codeblue-content/1',
    databases: [...inspection.databases].sort(byName).map((database) => ({
      name: database.name,
      identity: database.identity ?? null,
      schema: schemaFingerprint(database.schema),
      tables: [...database.tables]
        .sort((a, b) => (tableId(a) < tableId(b) ? -1 : 1))
        .map(({ schema, name, total }) => ({ schema, name, count: total.count, sum1: total.sum1, sum2: total.sum2 })),
    })),
  };
  return createHash('sha256').update(canonicalText(content)).digest('hex');
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
