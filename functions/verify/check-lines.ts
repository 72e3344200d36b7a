import type { Check } from './models.ts';

const FINDINGS = 20;

/** A check with as many findings as fit; the last line counts the rest. */
export function check(id: string, sentence: string, result: Check['result'], findings: readonly string[]): Check {
  const shown =
    findings.length > FINDINGS ? [...findings.slice(0, FINDINGS - 1), `and ${findings.length - FINDINGS + 1} more`] : [...findings];
  return { id, says: sentence, result, findings: shown };
}

/** Names the database where the server has several. */
export function within(server: { readonly databases: readonly unknown[] }, database: string, finding: string): string {
  return server.databases.length > 1 ? `${database}: ${finding}` : finding;
}
