import { z } from 'zod';
import type { Need, Ports, PortsFor } from './ports.ts';
import { type Described, defaults, executor, type Runnable, type TaskContext } from './task.ts';

/** What somebody asks of an endpoint. */
export const HttpRequest = z.strictObject({
  /** The host's own id of it; never the caller's. */
  requestId: z.string().min(1).max(100),
  /** Upper case. */
  method: z.string(),
  /** Without query: `/v2/enqueue`. */
  path: z.string(),
  query: z.record(z.string(), z.string()),
  /** Names in lower case. */
  headers: z.record(z.string(), z.string()),
  /** As it came, decoded as UTF-8. */
  body: z.string(),
});
export type HttpRequest = z.output<typeof HttpRequest>;

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer as JSON. */
export const jsonResponse = (status: number, body: unknown, headers: HttpResponse['headers'] = {}): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
});

/** An address that anybody may ask: it knows its callers by keys or signatures of its own. From it come: function, role, function URL, lab wiring. */
export interface AnyEndpoint extends Runnable {
  readonly kind: 'endpoint';
  /** Requests that are answered at a time; those beyond are refused with 429 by Lambda. */
  readonly concurrency: number;
  /** Why it needs no AWS signature: the reason of the acknowledgement for cdk-nag. */
  readonly openBecause: string;
  execute(request: unknown, available: Partial<Ports>, context: TaskContext): Promise<HttpResponse>;
}

/** Declares an endpoint. What `answer` throws becomes 503 (retryable) or 500, without a word about why. */
export function defineEndpoint<const N extends Need>(
  definition: Described &
    Pick<AnyEndpoint, 'concurrency' | 'openBecause'> & {
      readonly needs: readonly N[];
      answer(request: HttpRequest, ports: PortsFor<N> & TaskContext): Promise<HttpResponse>;
    },
): AnyEndpoint {
  const { answer, ...rest } = definition;
  return { kind: 'endpoint', ...defaults, ...rest, execute: executor({ ...definition, input: HttpRequest, run: answer }) };
}
