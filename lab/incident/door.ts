import { seconds } from '../../functions/common/duration.ts';
import type { AnyEndpoint, HttpRequest } from '../../functions/common/endpoint.ts';
import { runEndpoint } from '../../functions/handlers/run-endpoint.ts';
import type { Host } from '../../functions/handlers/run-operation.ts';
import { HttpServer } from './http-server.ts';

/** What is kept of a run's time, as Lambda's host keeps it. */
const runSeconds = seconds(10);

/** A function URL of one Region: the deployed handler behind real HTTP. It answers 502, as Lambda's does, while nobody is behind it. @throws LabUnavailable when no port can be opened */
export const openDoor = (endpoint: AnyEndpoint, hostNow: () => Host | undefined): Promise<HttpServer> =>
  HttpServer.open(async (request) => {
    const host = hostNow();
    if (!host) return { status: 502, headers: {}, body: '' };
    const deadline = new Date(host.clock.now().getTime() + runSeconds * 1000);
    const { statusCode, headers, body } = await runEndpoint(endpoint, functionUrlEvent(request), host, deadline);
    return { status: statusCode, headers, body };
  });

/** Payload format 2.0. */
const functionUrlEvent = ({ requestId, method, path, query, headers, body }: HttpRequest) => ({
  rawPath: path,
  queryStringParameters: query,
  headers,
  requestContext: { requestId, http: { method } },
  body,
  isBase64Encoded: false,
});
