import { createServer, type Server } from 'node:http';
import { LabUnavailable } from '../errors.ts';
import { freePort } from '../postgres/port.ts';

/** Answers a request for a path with an HTTP status. */
type Answer = (path: string) => number | Promise<number>;

/** The HTTP server of one region: the region's own address, the health of its services, its lease endpoint. It dies with its region. */
export class RegionEndpoint {
  readonly port: number;
  #server: Server | undefined;
  answer: Answer = () => 404;

  constructor(port: number) {
    this.port = port;
  }

  /** @throws LabUnavailable when no port can be opened */
  static async open(): Promise<RegionEndpoint> {
    const endpoint = new RegionEndpoint(await freePort());
    await endpoint.revive();
    return endpoint;
  }

  /** Every connection ends, and nobody listens. */
  kill(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }

  /** Listens again where it did before. @throws LabUnavailable */
  async revive(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => {
      const say = (status: number): void => void response.writeHead(status).end();
      Promise.resolve()
        .then(() => this.answer(new URL(request.url ?? '/', 'http://lab').pathname))
        .then(say, () => say(500));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new LabUnavailable(`port ${this.port} cannot be opened: ${cause.message}`, { cause })));
      server.listen({ host: '127.0.0.1', port: this.port }, resolve);
    });
    server.unref();
  }
}
