import { createServer, type Server, Socket } from 'node:net';
import { LabUnavailable } from '../errors.ts';

/**
 * `open` passes everything on. `cut` is a black hole, as a partition of networks is: connections stay, nothing arrives, nobody is told.
 * `held` lets through what goes to the target and keeps back what comes from it: a slow network towards the caller.
 */
export type LinkState = 'open' | 'cut' | 'held';

/**
 * The only way from one place to a TCP server in another: a real proxy on the loopback interface that can be cut. Sockets that were open
 * when it was cut go on where they were when it is mended, unless an end has given up in the meantime.
 */
export class Link {
  readonly port: number;
  readonly #server: Server;
  readonly #flows = new Set<Flow>();
  #state: LinkState = 'open';

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param targetPort where it leads, on 127.0.0.1 @throws LabUnavailable when no port can be opened */
  static async open(targetPort: number): Promise<Link> {
    const server = createServer({ allowHalfOpen: false });
    const port = await new Promise<number>((resolve, reject) => {
      server.once('error', (cause) => reject(new LabUnavailable(`no port of 127.0.0.1 can be opened: ${cause.message}`, { cause })));
      server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
        const address = server.address();
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new LabUnavailable('no port was given'));
      });
    });
    server.unref();
    const link = new Link(server, port);
    server.on('connection', (caller) => link.#accept(caller, targetPort));
    return link;
  }

  get state(): LinkState {
    return this.#state;
  }

  set(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const flow of this.#flows) flow.set(state);
  }

  /** Ends every connection at once: one of its ends is gone. */
  drop(): void {
    for (const flow of this.#flows) flow.destroy();
  }

  close(): void {
    this.#server.close();
    this.drop();
  }

  #accept(caller: Socket, targetPort: number): void {
    const flow = new Flow(caller, targetPort, () => this.#flows.delete(flow));
    this.#flows.add(flow);
    flow.set(this.#state);
  }
}

/** One connection through a link: the caller's socket, and ours to the target as soon as anything may pass. */
class Flow {
  readonly #caller: Socket;
  readonly #targetPort: number;
  readonly #ended: () => void;
  #target: Socket | undefined;
  #state: LinkState | undefined;
  #broken = false;

  constructor(caller: Socket, targetPort: number, ended: () => void) {
    this.#caller = caller;
    this.#targetPort = targetPort;
    this.#ended = ended;
    this.#watch(caller);
  }

  set(state: LinkState): void {
    this.#state = state;
    if (this.#broken && state !== 'cut') {
      this.destroy();
      return;
    }
    if (state !== 'cut') this.#target ??= this.#connect();
    this.#pass(this.#caller, this.#target, state !== 'cut');
    this.#pass(this.#target, this.#caller, state === 'open');
  }

  destroy(): void {
    this.#caller.destroy();
    this.#target?.destroy();
    this.#ended();
  }

  #connect(): Socket {
    const target = new Socket();
    target.setNoDelay(true);
    this.#watch(target);
    target.connect(this.#targetPort, '127.0.0.1');
    return target;
  }

  #pass(from: Socket | undefined, to: Socket | undefined, passes: boolean): void {
    if (!from || !to) {
      from?.pause();
      return;
    }
    from.unpipe(to);
    if (passes) from.pipe(to);
    else from.pause();
  }

  /** In a black hole the other end does not hear that this one is gone. */
  #watch(socket: Socket): void {
    socket.setNoDelay(true);
    socket.unref();
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#broken = true;
      if (this.#state !== 'cut') this.destroy();
    });
  }
}
