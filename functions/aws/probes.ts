import type { Probes } from '../failover/ports.ts';
import { errorNameOf } from './errors.ts';

/** By Node's own `fetch`: a connection of its own, as a health checker's; no credentials and no cookies go along. */
export function probesPort(): Probes {
  return {
    async http(url, timeoutSeconds) {
      const began = performance.now();
      try {
        const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutSeconds * 1000) });
        await response.body?.cancel();
        return { ok: response.ok, says: `${response.status} in ${Math.round(performance.now() - began)} ms` };
      } catch (error) {
        return { ok: false, says: reasonOf(error, timeoutSeconds) };
      }
    },
  };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name service does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/** In a few words, out of the error's code alone: a message may quote the address with its query. */
function reasonOf(error: unknown, timeoutSeconds: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `timeout after ${timeoutSeconds} s`;
  const code = error instanceof Error ? errorNameOf(error.cause ?? error) : '';
  return reasons[code] ?? `failed: ${code || 'unknown'}`;
}
