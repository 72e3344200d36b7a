import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Operations } from '../../functions/common/operations.ts';
import { runConsumer } from '../../functions/handlers/run-consumer.ts';
import { runEndpoint } from '../../functions/handlers/run-endpoint.ts';
import { signalsEndpoint } from '../../functions/incidents/ingest/signals-endpoint.ts';
import { Signal } from '../../functions/incidents/models.ts';
import { consumers } from '../../functions/tasks.ts';
import { memoryWorld } from './host.ts';
import { testOperations } from './operations.ts';

export const keys = { pagerduty: 'e93facc04764012d7bfb002500d5d1a6', alertmanager: 'alertmanager-key-of-the-test' } as const;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A deployment with a door of each kind. `perMinute` is of both. */
export function operationsWithDoors({ perMinute = 12_000 }: { readonly perMinute?: number } = {}): Operations {
  const { incidents } = testOperations();
  return testOperations({
    incidents: {
      ...incidents,
      mode: 'on',
      services: [{ id: 'registration', policy: incidents.defaultPolicy }],
      integrations: [
        { id: 'icinga', kind: 'pagerduty', keySha256: sha256(keys.pagerduty), service: 'registration', alarms: ['DiskFull'], perMinute },
        { id: 'prometheus', kind: 'alertmanager', keySha256: sha256(keys.alertmanager), service: 'registration', alarms: [], perMinute },
      ],
    },
  });
}

/** The doors and consumers in memory, run as their hosts run them. */
export function doorsWorld(given: { readonly operations?: Operations; readonly start?: string } = {}) {
  const world = memoryWorld({ operations: given.operations ?? operationsWithDoors(), ...(given.start ? { start: given.start } : {}) });
  const { ports, clock } = world;
  const deadline = () => new Date(clock.now().getTime() + 10_000);
  let requests = 0;
  const ask = (request: {
    readonly method?: string;
    readonly path: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  }) =>
    runEndpoint(
      signalsEndpoint,
      {
        rawPath: request.path,
        headers: request.headers ?? {},
        requestContext: { requestId: `request-${++requests}`, http: { method: request.method ?? 'POST' } },
        ...(request.body === undefined ? {} : { body: request.body }),
        isBase64Encoded: false,
      },
      world.hostAt({}),
      deadline(),
    );
  return {
    ...world,
    ask,
    enqueue: (event: unknown) => ask({ path: '/v2/enqueue', body: JSON.stringify(event) }),
    notify: (body: unknown, key: string = keys.alertmanager) =>
      ask({
        path: '/alertmanager',
        headers: { Authorization: `Bearer ${key}` },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    /** Signals that wait in both queues, taken out. */
    received(): readonly Signal[] {
      return consumers.flatMap(({ queue }) =>
        ports.signalQueue.receive(queue, 100_000).map(({ body, receiptHandle }) => {
          ports.signalQueue.remove(queue, receiptHandle);
          return Signal.parse(JSON.parse(body));
        }),
      );
    },
    /** Runs each queue's consumer once over what can be seen there. */
    async triage(): Promise<void> {
      for (const consumer of consumers) {
        await ports.signalQueue.deliver(consumer.queue, consumer.batchSize, (event) =>
          runConsumer(consumer, event, world.hostAt({}), deadline()),
        );
      }
    },
  };
}

/** The endpoint behind a real HTTP server, as a function URL stands before it. */
export async function listening(world: ReturnType<typeof doorsWorld>): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const url = new URL(request.url ?? '/', 'http://localhost');
      const body = Buffer.concat(chunks).toString('utf8');
      const answer = await world.ask({ method: request.method ?? 'GET', path: url.pathname, headers, body });
      response.writeHead(answer.statusCode, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
