import { append, emptyEdge, type LogObject, type ReadObject, type RightEdge } from '../../functions/audit/log/append.ts';

/** Objects of one log in memory, by path. */
export interface LogInMemory {
  readonly objects: Map<string, LogObject>;
  readonly read: ReadObject;
  readonly edge: RightEdge;
  readonly root: Uint8Array;
}

/** Entries that differ, of lengths that differ. */
export const entriesNamed = (count: number, name = 'entry'): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, n) => Buffer.from(`${name} ${n} ${'.'.repeat(n % 7)}`));

/** The log that comes of appending these batches one after another. */
export function logOf(...batches: readonly (readonly Uint8Array[])[]): LogInMemory {
  const objects = new Map<string, LogObject>();
  let appended = append(emptyEdge, []);
  for (const batch of batches) {
    appended = append(appended.edge, batch);
    for (const object of appended.objects) {
      if (objects.has(object.path)) throw new Error(`${object.path} is written twice`);
      objects.set(object.path, object);
    }
  }
  return { objects, edge: appended.edge, root: appended.root, read: async (path) => objects.get(path)?.bytes };
}
