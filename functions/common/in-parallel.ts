/**
 * Does the work for each, at most so many at a time. After the first failure none is begun any more.
 *
 * @throws what the first failure threw, after those that were under way have ended
 */
export async function inParallel<T>(atATime: number, each: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = each[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (let next = left.next(); !next.done && failures.length === 0; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  if (failures.length > 0) throw failures[0];
}
