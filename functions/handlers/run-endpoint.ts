import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { AnyEndpoint, HttpResponse } from '../common/endpoint.ts';
import { jsonResponse } from '../common/endpoint.ts';
import { CodeblueError, messageOf } from '../common/errors.ts';
import { parseAs } from '../common/parse.ts';
import { contextOf, type Host } from './run-operation.ts';

/** What a function URL gives: payload format 2.0. */
const FunctionUrlEvent = z.object({
  rawPath: z.string(),
  queryStringParameters: z.record(z.string(), z.string()).default({}),
  headers: z.record(z.string(), z.string()).default({}),
  requestContext: z.object({
    requestId: z.string().min(1).max(100),
    http: z.object({ method: z.string() }),
    /** Of a URL with AWS_IAM: who signed, as Lambda verified it before the function ran. */
    authorizer: z.object({ iam: z.object({ userArn: z.string() }) }).optional(),
  }),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

interface FunctionUrlAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers one request. An error of ours is told to nobody outside: 503 where trying again can help, else 500. */
export async function runEndpoint(endpoint: AnyEndpoint, event: unknown, host: Host, deadline: Date): Promise<FunctionUrlAnswer> {
  const { status, headers, body } = await answerOf(endpoint, event, host, deadline);
  return { statusCode: status, headers, body };
}

async function answerOf(endpoint: AnyEndpoint, event: unknown, host: Host, deadline: Date): Promise<HttpResponse> {
  try {
    const parsed = parseAs(FunctionUrlEvent, event, `the event of endpoint ${endpoint.name}`);
    const caller = parsed.requestContext.authorizer?.iam.userArn;
    // Lambda lets nobody through to a signed endpoint; this holds should its URL ever be made an open one.
    if (endpoint.auth === 'iam' && !caller) return jsonResponse(403, { status: 'forbidden', message: 'Sign the request (AWS SigV4).' });
    const body = textOf(parsed);
    if (endpoint.auth === 'iam' && body.isLossy) return jsonResponse(400, { status: 'invalid', message: 'The body is no UTF-8.' });
    const request = {
      ...(endpoint.auth === 'iam' ? { caller } : {}),
      requestId: parsed.requestContext.requestId,
      method: parsed.requestContext.http.method.toUpperCase(),
      path: parsed.rawPath,
      query: parsed.queryStringParameters,
      headers: Object.fromEntries(Object.entries(parsed.headers).map(([name, value]) => [name.toLowerCase(), value])),
      body: body.text,
    };
    return await endpoint.execute(request, host.ports, contextOf(host, host.clock.now(), deadline));
  } catch (error) {
    const retryable = error instanceof CodeblueError && error.retryable;
    host.log.error('request failed', { endpoint: endpoint.name, error: messageOf(error) });
    return retryable
      ? jsonResponse(503, { status: 'unavailable', message: 'Try again in a moment.' }, { 'retry-after': '5' })
      : jsonResponse(500, { status: 'error', message: 'Internal error.' });
  }
}

/** A body in another encoding is read with marks for what UTF-8 does not know: who must not change what was said refuses it. */
function textOf({ body, isBase64Encoded }: z.output<typeof FunctionUrlEvent>): { readonly text: string; readonly isLossy: boolean } {
  if (!isBase64Encoded) return { text: body, isLossy: false };
  const bytes = Buffer.from(body, 'base64');
  return { text: bytes.toString('utf8'), isLossy: !isUtf8(bytes) };
}
