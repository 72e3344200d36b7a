import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HttpRequest } from '../../functions/common/endpoint.ts';
import { signerOf } from '../../lab/audit/verify-signature.ts';

/** Whom the server knows; `wrong` is a secret of nobody's. */
export const principal = {
  arn: 'arn:aws:iam::111122223333:user/registration',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

export interface Seen {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What happens to a request instead of an answer, or around one. */
export type Fault = 'no-answer' | 'answer-lost' | { readonly status: number; readonly retryAfter?: number; readonly body?: string };

/**
 * A real HTTP server that answers whoever signed with Signature Version 4 (verified by another implementation than the signer's) and refuses everybody else, as AWS does.
 *
 * @param faults what happens to the first requests, one each; those after them are answered
 */
export async function signedServer(
  service: string,
  answer: (request: HttpRequest, caller: string) => Promise<Seen>,
  faults: readonly (Fault | undefined)[] = [],
) {
  const requests: HttpRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const request = await requestOf(incoming);
    const fault = faults[requests.push(request) - 1];
    if (fault === 'no-answer') return incoming.socket.destroy();
    if (typeof fault === 'object') {
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
      return outgoing.writeHead(fault.status, headers).end(fault.body ?? '');
    }
    const signer = signerOf(request, { region: 'us-east-1', service, now: new Date(), principals: [principal] });
    const answered = signer ? await answer(request, signer.arn) : { status: 403, body: '{"Message":"Forbidden"}' };
    if (fault === 'answer-lost') return incoming.socket.destroy();
    return outgoing.writeHead(answered.status, answered.headers ?? {}).end(answered.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function requestOf(incoming: IncomingMessage): Promise<HttpRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
  return {
    requestId: 'request',
    method: incoming.method ?? '',
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body: await text(incoming),
  };
}
