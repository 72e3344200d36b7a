import type { Ports } from '../../functions/common/ports.ts';

/** What a port answers at once it answers without a process to ask: nothing can happen in between. */
const answeredAtOnce: ReadonlySet<string> = new Set(['replicatedTables', 'logTable', 'eventsTable']);

/** The process is gone: nothing that it still tries has an effect. */
class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
}

/** Where one run dies: before its n-th call of a port takes effect, or after it did but before the run hears of it. Counted from 1. */
export interface Death {
  readonly call: number;
  readonly when: 'before' | 'after';
}

export interface WatchedRun {
  readonly ports: Partial<Ports>;
  /** Calls made so far, `port.method`. */
  readonly calls: readonly string[];
  readonly died: () => boolean;
}

/**
 * The ports as one process sees them: it dies where `death` says, and `meanwhile` runs before each call, as another process
 * would at that moment.
 */
export function watchedRun(
  ports: Partial<Ports>,
  { death, meanwhile = async () => {} }: { readonly death?: Death | undefined; readonly meanwhile?: (call: number) => Promise<void> } = {},
): WatchedRun {
  const calls: string[] = [];
  let dead = false;
  const die = (): never => {
    dead = true;
    throw new ProcessDied(`died at ${calls.at(-1)}`);
  };
  async function call(name: string, method: (...args: unknown[]) => unknown, args: unknown[]): Promise<unknown> {
    if (dead) die();
    calls.push(name);
    const count = calls.length;
    await meanwhile(count);
    if (death?.call === count && death.when === 'before') die();
    const result = await method(...args);
    if (death?.call === count) die();
    return result;
  }
  const watched = Object.entries(ports).map(([portName, port]) => [
    portName,
    Object.fromEntries(
      Object.entries(port).map(([name, member]) => [
        name,
        typeof member === 'function' && !answeredAtOnce.has(name)
          ? (...args: unknown[]) => call(`${portName}.${name}`, (...given) => Reflect.apply(member, port, given), args)
          : member,
      ]),
    ),
  ]);
  return { ports: Object.fromEntries(watched), calls, died: () => dead };
}
