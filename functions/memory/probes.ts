import type { Probes } from '../failover/ports.ts';

type Answer = Awaited<ReturnType<Probes['http']>>;

export interface MemoryProbes extends Probes {
  /** Addresses that begin with `prefix` answer this from now on; the longest prefix that fits counts. */
  answer(prefix: string, answer: Answer): void;
  /** Every address asked, in order. */
  readonly asked: readonly string[];
}

/** Addresses that are well unless a test says otherwise. */
export function memoryProbes(): MemoryProbes {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  return {
    asked,
    async http(url) {
      asked.push(url);
      const prefixes = [...answers.keys()].filter((prefix) => url.startsWith(prefix)).sort((a, b) => b.length - a.length);
      return answers.get(prefixes[0] ?? '') ?? { ok: true, says: '200 in 1 ms' };
    },
    answer(prefix, answer) {
      answers.set(prefix, answer);
    },
  };
}
