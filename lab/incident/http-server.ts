import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { HttpRequest, HttpResponse } from '../../functions/common/endpoint.ts';
import { LabUnavailable } from '../errors.ts';
import { freePort } from '../postgres/port.ts';

/** Above PagerDuty's limit of 512 KB for an event: what is too long is the endpoint's to refuse. */
const longestBody = 2_000_000;

type Answer = (request: HttpRequest) => Promise<HttpResponse>;
/** Takes a request that is answered bit by bit. @returns whether it did */
type Stream = (path: string, response: ServerResponse) => boolean;

/** A real HTTP server on the loopback interface, in the place of Lambda's function URLs: it can be killed and comes back where it was. */
export class HttpServer {
  readonly port: number;
  readonly #answer: Answer;
  readonly #stream: Stream;
  #server: Server | undefined;

  private constructor(port: number, answer: Answer, stream: Stream) {
    this.port = port;
    this.#answer = answer;
    this.#stream = stream;
  }

  /** @throws LabUnavailable when no port can be opened */
  static async open(answer: Answer, stream: Stream = () => false, port?: number): Promise<HttpServer> {
    const server = new HttpServer(port ?? (await freePort()), answer, stream);
    await server.revive();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Every connection ends, and nobody listens. */
  kill(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }

  /** @throws LabUnavailable when the port is taken by now */
  async revive(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => void this.#serve(request, response));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new LabUnavailable(`port ${this.port} cannot be opened: ${cause.message}`, { cause })));
      server.listen({ host: '127.0.0.1', port: this.port }, resolve);
    });
    server.unref();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const parsed = await read(request);
      if (this.#stream(parsed.path, response)) return;
      const { status, headers, body } = await this.#answer(parsed);
      response.writeHead(status, headers).end(body);
    } catch {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    }
  }
}

async function read(request: IncomingMessage): Promise<HttpRequest> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://lab');
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length <= longestBody) pieces.push(bytes);
  }
  return {
    requestId: randomUUID(),
    method: (request.method ?? 'GET').toUpperCase(),
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
    body: Buffer.concat(pieces).toString('utf8'),
  };
}
