import { append, emptyEdge } from '../../functions/audit/log/append.ts';
import { checkpointText, signedNote, verifierKey } from '../../functions/audit/log/checkpoint.ts';
import type { LogHead } from '../../functions/audit/log/models.ts';
import { auditLogOrigin } from '../../functions/common/names.ts';
import { type AuditWorld, operationsOf, region } from './audit-world.ts';
import { History } from './history.ts';
import { publicKeyOf, signWith } from './log-keys.ts';

/** A log as it stands before a run, sound and at rest. */
interface FirstLog {
  readonly history: History;
  readonly head: LogHead;
  readonly objects: ReadonlyMap<string, Uint8Array>;
}

/** Entries that were there before are of no event of the run. */
export const entryBefore = (index: number): string => `{"before":${index}}`;

const made = new Map<number, FirstLog>();

/** Puts so many entries into the log of generation 1, as if they had always been there. */
export function beginWith(world: AuditWorld, entries: number): void {
  if (entries === 0) return;
  const first = made.get(entries) ?? make(entries);
  made.set(entries, first);
  world.store.head = first.head;
  for (const [path, bytes] of first.objects) world.store.objects.set(path, bytes);
  world.monitor.began(1, first.history.copy());
}

function make(entries: number): FirstLog {
  const texts = Array.from({ length: entries }, (_, index) => entryBefore(index));
  const history = new History();
  history.append(texts);
  const tree = append(
    emptyEdge,
    texts.map((text) => Buffer.from(text)),
  );
  const origin = auditLogOrigin(operationsOf(1), region, 1);
  const text = checkpointText({ origin, size: tree.size, root: tree.root });
  const note = signedNote(text, origin, publicKeyOf(1), signWith(1, Buffer.from(text)));
  const objects = new Map<string, Uint8Array>(tree.objects.map(({ path, bytes }) => [`1/${path}`, bytes]));
  objects.set('1/checkpoint', Buffer.from(note));
  objects.set('1/verifier-key', Buffer.from(`${verifierKey(origin, publicKeyOf(1))}\n`));
  const head: LogHead = { version: 1, generation: 1, size: entries, root: Buffer.from(tree.root).toString('base64') };
  return { history, head, objects };
}
