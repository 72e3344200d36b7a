import { seconds } from '../../functions/common/duration.ts';
import type { HttpRequest, SignedEndpoint } from '../../functions/common/endpoint.ts';
import { runEndpoint } from '../../functions/handlers/run-endpoint.ts';
import type { Host } from '../../functions/handlers/run-operation.ts';
import { HttpServer } from '../incident/http-server.ts';
import { type Principal, signerOf } from './verify-signature.ts';

/** What is kept of a run's time, as Lambda's host keeps it. */
const runSeconds = seconds(10);

/**
 * A function URL with AWS_IAM of one Region: the deployed handler behind real HTTP, and before it the verification that Lambda does. 403 for whoever has not signed, 502 while
 * nobody is behind it. @throws LabUnavailable when no port can be opened
 */
export const openSignedDoor = (
  endpoint: SignedEndpoint,
  region: string,
  principals: readonly Principal[],
  hostNow: () => Host | undefined,
): Promise<HttpServer> =>
  HttpServer.open(async (request) => {
    const host = hostNow();
    if (!host) return { status: 502, headers: {}, body: '' };
    const signer = signerOf(request, { region, service: 'lambda', now: new Date(), principals });
    if (!signer) return { status: 403, headers: { 'content-type': 'application/json' }, body: '{"Message":"Forbidden"}' };
    const deadline = new Date(host.clock.now().getTime() + runSeconds * 1000);
    const { statusCode, headers, body } = await runEndpoint(endpoint, functionUrlEvent(request, signer.arn), host, deadline);
    return { status: statusCode, headers, body };
  });

/** Payload format 2.0. */
const functionUrlEvent = ({ requestId, method, path, query, headers, body }: HttpRequest, userArn: string) => ({
  rawPath: path,
  queryStringParameters: query,
  headers,
  requestContext: { requestId, http: { method }, authorizer: { iam: { userArn } } },
  body,
  isBase64Encoded: false,
});
