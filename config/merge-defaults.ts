type Tree = Readonly<Record<string, unknown>>;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What people wrote, with the defaults filled in wherever they wrote nothing. Lists and schedules are taken whole, never
 * mixed: a written `weekly('sun', '02:00')` over a default `daily('02:00')` is the weekly one and nothing of the daily.
 */
export function mergeDefaults(defaults: unknown, written: unknown): unknown {
  if (written === undefined) return defaults;
  if (!isTree(defaults) || !isTree(written) || 'kind' in written) return written;
  const merged: Record<string, unknown> = { ...written };
  for (const [key, value] of Object.entries(defaults)) merged[key] = mergeDefaults(value, written[key]);
  return merged;
}
