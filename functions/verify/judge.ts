import { check, within } from './check-lines.ts';
import { compareRows } from './compare-rows.ts';
import { contentRoot } from './content-root.ts';
import type { Answer, DatabaseInspection, Inspection } from './inspection.ts';
import { judgeIdentity, judgePointInTime, judgeWindow } from './judge-origin.ts';
import type { DatabaseManifest, Manifest } from './manifest.ts';
import type { Check } from './models.ts';
import { schemaDifferences } from './schema-objects.ts';
import { isBefore } from './sequences.ts';
import { tableId } from './tables.ts';

/** What the copy is supposed to be, besides the manifest. */
export interface JudgeContext {
  readonly target:
    | { readonly kind: 'recovery-point' }
    | {
        readonly kind: 'point-in-time';
        readonly time: Date;
        /** Longest time before `time` that may pass without a canary: more is loss. */
        readonly canaryPauseSeconds: number;
        /** A manifest from near that time: schema and identity are compared with it. */
        readonly nearest?: Manifest;
      };
  /** Fixed by the first verified restore of this point. */
  readonly expectedContentRoot?: string | undefined;
}

type Names = 'schema' | 'rows' | 'content' | 'content-root' | 'foreign-keys' | 'indexes' | 'constraints' | 'sequences';

const says: Readonly<Record<Names, string>> = {
  schema: 'Tables, columns, constraints, indexes, routines and grants are those of the live database.',
  rows: 'Every table has the rows that the manifest counted.',
  content: 'Every value of every settled row is the one that the live database had.',
  'content-root': 'The content is the one that the first verified restore of this backup had.',
  'foreign-keys': 'Every foreign key points to a row that exists.',
  indexes: 'Every index is valid, sound, and leads to every row.',
  constraints: 'Every row keeps the CHECK and NOT NULL rules of its table.',
  sequences: 'Every sequence stands at or beyond where it stood, and beyond the column it feeds.',
};

/**
 * The verdicts on a restored copy: one Check per question. Pure: the same inspection, manifest and context give the same checks.
 * Without a manifest (a point in time) rows and content are `not-applicable`, unless something could not be read: that always fails.
 */
export function judge(inspection: Inspection, manifest: Manifest | undefined, context: JudgeContext): readonly Check[] {
  const pairs = pairsOf(inspection, manifest);
  const origin =
    context.target.kind === 'recovery-point'
      ? [judgeIdentity(inspection, manifest), judgeWindow(inspection, manifest)]
      : [judgeIdentity(inspection, context.target.nearest), judgePointInTime(inspection, context.target)];
  return [
    ...origin,
    judgeSchema(inspection, manifest ?? (context.target.kind === 'point-in-time' ? context.target.nearest : undefined)),
    ...judgeRows(inspection, pairs),
    judgeRoot(inspection, context.expectedContentRoot),
    judgeAnswers('foreign-keys', inspection, (database) => database.foreignKeys, 'rows point nowhere'),
    judgeAnswers('indexes', inspection, (database) => database.indexes, 'defects'),
    judgeAnswers('constraints', inspection, (database) => database.constraints, 'rows break it'),
    judgeSequences(inspection, manifest, context),
    ...judgeInvariants(inspection),
  ];
}

interface Pair {
  readonly manifest: DatabaseManifest;
  readonly copy: DatabaseInspection | undefined;
}

function pairsOf(inspection: Inspection, manifest: Manifest | undefined): readonly Pair[] | undefined {
  return manifest?.databases.map((database) => ({
    manifest: database,
    copy: inspection.databases.find((each) => each.name === database.name),
  }));
}

function judgeSchema(inspection: Inspection, manifest: Manifest | undefined): Check {
  const errors = inspection.databases.flatMap((database) => database.errors.map((error) => within(inspection, database.name, error)));
  if (!manifest) {
    return errors.length > 0
      ? check('schema', says.schema, 'failed', errors)
      : check('schema', says.schema, 'not-applicable', ['there is no manifest to compare the schema with']);
  }
  const differences = manifest.databases.flatMap((database) => {
    const copy = inspection.databases.find((each) => each.name === database.name);
    if (!copy) return [`database ${database.name} is missing`];
    const settings = (['encoding', 'collation'] as const)
      .filter((name) => copy[name] !== database[name])
      .map((name) => `${name} is different`);
    return [...settings, ...schemaDifferences(database, copy.schema)].map((finding) => within(manifest, database.name, finding));
  });
  const findings = [...errors, ...differences];
  return check('schema', says.schema, findings.length === 0 ? 'passed' : 'failed', findings);
}

function judgeRows(inspection: Inspection, pairs: readonly Pair[] | undefined): readonly Check[] {
  if (!pairs) {
    const unread = inspection.databases.flatMap((database) =>
      database.tables.flatMap((table) =>
        table.unread === undefined ? [] : [within(inspection, database.name, `${tableId(table)} could not be read: ${table.unread}`)],
      ),
    );
    const why = 'no manifest was taken of this very second: soundness is checked, equality cannot be';
    return [
      check('rows', says.rows, 'not-applicable', [why]),
      unread.length > 0 ? check('content', says.content, 'failed', unread) : check('content', says.content, 'not-applicable', [why]),
    ];
  }
  const rows: string[] = [];
  const content: string[] = [];
  let compared = 0;
  for (const { manifest, copy } of pairs) {
    const name = (finding: string): string => (pairs.length > 1 ? `${manifest.name}: ${finding}` : finding);
    for (const table of manifest.tables) {
      const found = compareRows(
        table,
        copy?.tables.find((each) => each.schema === table.schema && each.name === table.name),
      );
      rows.push(...found.rows.map(name));
      content.push(...found.content.map(name));
      compared++;
    }
  }
  const holdsNothing = compared === 0 && inspection.databases.length === 0 ? ['the copy has none of the databases'] : [];
  return [
    check('rows', says.rows, rows.length + holdsNothing.length === 0 ? 'passed' : 'failed', [...rows, ...holdsNothing]),
    check('content', says.content, content.length + holdsNothing.length === 0 ? 'passed' : 'failed', [
      ...content,
      ...holdsNothing,
      ...pairs.flatMap(({ manifest }) => manifest.unlogged.map((table) => `${table} is unlogged: empty after any restore, not compared`)),
    ]),
  ];
}

function judgeRoot(inspection: Inspection, expected: string | undefined): Check {
  const root = contentRoot(inspection);
  if (root === undefined)
    return check('content-root', says['content-root'], 'failed', ['a part of the copy could not be read, so it has no content root']);
  if (expected === undefined)
    return check('content-root', says['content-root'], 'not-applicable', [`none was fixed before; this restore has ${root}`]);
  return root === expected
    ? check('content-root', says['content-root'], 'passed', [root])
    : check('content-root', says['content-root'], 'failed', [`it is ${root}, and was ${expected}`]);
}

function judgeAnswers(
  id: 'foreign-keys' | 'indexes' | 'constraints',
  inspection: Inspection,
  answersOf: (database: DatabaseInspection) => readonly Answer[],
  offence: string,
): Check {
  const failures: string[] = [];
  const notes: string[] = [];
  for (const database of inspection.databases) {
    for (const answer of answersOf(database)) {
      const line = (text: string): string => within(inspection, database.name, `${answer.name}: ${text}`);
      if (answer.outcome === 'error') failures.push(line(answer.reason ?? 'could not be asked'));
      else if (answer.outcome === 'skipped') notes.push(line(answer.reason ?? 'not asked'));
      else if (answer.offences !== 0) failures.push(line(answer.reason ?? `${answer.offences} ${offence}`));
    }
  }
  const nothing = inspection.databases.length === 0 ? ['the copy has no database to look into'] : [];
  const failed = failures.length + nothing.length > 0;
  return check(id, says[id], failed ? 'failed' : 'passed', [...failures, ...nothing, ...notes]);
}

function judgeSequences(inspection: Inspection, manifest: Manifest | undefined, context: JudgeContext): Check {
  const failures: string[] = [];
  const notes: string[] = [];
  const nearest = context.target.kind === 'point-in-time' ? context.target.nearest : undefined;
  for (const database of inspection.databases) {
    const known = (manifest ?? nearest)?.databases.find((each) => each.name === database.name)?.sequences ?? [];
    for (const sequence of database.sequences) {
      const id = tableId(sequence);
      const before = known.find((each) => tableId(each) === id);
      if (!sequence.behindColumn) continue;
      if (before?.behindColumn) notes.push(within(inspection, database.name, `${id} was behind its column in the live database already`));
      else failures.push(within(inspection, database.name, `${id} is behind the column it feeds: the next insert fails`));
    }
    if (!manifest) continue;
    for (const before of known) {
      const now = database.sequences.find((each) => tableId(each) === tableId(before));
      const id = within(inspection, database.name, tableId(before));
      if (!now) failures.push(`${id} is missing`);
      else if (!before.cycles && isBefore(now.lastValue, before.lastValue, before.increment)) {
        failures.push(`${id} stands at ${now.lastValue ?? 'its start'}, and stood at ${before.lastValue ?? 'its start'}`);
      }
    }
  }
  if (inspection.databases.length === 0) failures.push('the copy has no database to look into');
  return check('sequences', says.sequences, failures.length > 0 ? 'failed' : 'passed', [...failures, ...notes]);
}

/** One check per invariant, over all databases: it applies where its tables are. */
function judgeInvariants(inspection: Inspection): readonly Check[] {
  const names = [...new Set(inspection.databases.flatMap((database) => database.invariants.map((answer) => answer.name)))];
  return names.map((name) => {
    const answers = inspection.databases.flatMap((database) =>
      database.invariants.filter((answer) => answer.name === name).map((answer) => ({ answer, database: database.name })),
    );
    const asked = answers.filter(({ answer }) => answer.outcome !== 'skipped');
    const sentence = answers[0]?.answer.says ?? name;
    if (asked.length === 0)
      return check(`invariant/${name}`, sentence, 'not-applicable', [
        ...new Set(answers.map(({ answer }) => answer.reason ?? 'not asked')),
      ]);
    const failures = asked.flatMap(({ answer, database }) => {
      if (answer.outcome === 'error') return [within(inspection, database, answer.reason ?? 'could not be asked')];
      return answer.offences === 0 ? [] : [within(inspection, database, `${answer.offences} rows break it`)];
    });
    return check(`invariant/${name}`, sentence, failures.length > 0 ? 'failed' : 'passed', failures);
  });
}
