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

/** A request whose AWS signature the host has verified. */
export const SignedHttpRequest = HttpRequest.extend({
  /** ARN of the principal that signed it. */
  caller: z.string().regex(/^arn:[\x21-\x7e]+$/, 'the ARN of a principal'),
});
export type SignedHttpRequest = z.output<typeof SignedHttpRequest>;

interface Endpoint extends Runnable {
  readonly kind: 'endpoint';
  /** Requests that are answered at a time; those beyond are refused with 429 by Lambda. */
  readonly concurrency: number;
  execute(request: unknown, available: Partial<Ports>, context: TaskContext): Promise<HttpResponse>;
}

/** An address that anybody may ask: it knows its callers by keys or signatures of its own. From it come: function, role, function URL, lab wiring. */
export interface OpenEndpoint extends Endpoint {
  readonly auth: 'none';
  /** Why it needs no AWS signature: the reason of the acknowledgement for cdk-nag. */
  readonly openBecause: string;
}

/** An address that answers IAM principals alone, whom IAM lets through (`lambda:InvokeFunctionUrl`). From it come the same, with a URL that wants a signature (SigV4, service `lambda`). */
export interface SignedEndpoint extends Endpoint {
  readonly auth: 'iam';
}

export type AnyEndpoint = OpenEndpoint | SignedEndpoint;

/** Declares an open endpoint. What `answer` throws becomes 503 (retryable) or 500, without a word about why. */
export function defineEndpoint<const N extends Need>(
  definition: Described &
    Pick<OpenEndpoint, 'concurrency' | 'openBecause'> & {
      readonly needs: readonly N[];
      answer(request: HttpRequest, ports: PortsFor<N> & TaskContext): Promise<HttpResponse>;
    },
): OpenEndpoint {
  const { answer, ...rest } = definition;
  return { kind: 'endpoint', auth: 'none', ...defaults, ...rest, execute: executor({ ...definition, input: HttpRequest, run: answer }) };
}

/** Declares a signed endpoint. A request without a verified caller never reaches `answer`; what that throws is told as little of as an open one's. */
export function defineSignedEndpoint<const N extends Need>(
  definition: Described &
    Pick<SignedEndpoint, 'concurrency'> & {
      readonly needs: readonly N[];
      answer(request: SignedHttpRequest, ports: PortsFor<N> & TaskContext): Promise<HttpResponse>;
    },
): SignedEndpoint {
  const { answer, ...rest } = definition;
  const execute = executor({ ...definition, input: SignedHttpRequest, run: answer });
  return { kind: 'endpoint', auth: 'iam', ...defaults, ...rest, execute };
}
