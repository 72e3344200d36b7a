import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { jsonResponse } from '../../functions/common/endpoint.ts';
import type { MemorySignalQueue } from '../../functions/memory/signal-queue.ts';
import { HttpServer } from '../incident/http-server.ts';
import { type Principal, signerOf } from './verify-signature.ts';

const PutEvents = z.object({
  Entries: z.array(z.object({ EventBusName: z.string(), Source: z.string(), DetailType: z.string(), Detail: z.string() })).max(10),
});

export interface BusOptions {
  readonly region: string;
  readonly account: string;
  readonly busName: string;
  readonly principals: readonly Principal[];
  /** Behind the bus's rule. */
  readonly queue: MemorySignalQueue;
}

export interface EventBridge {
  readonly server: HttpServer;
  /** Events of the bus that it took: more than its callers know of where an answer was lost. */
  readonly taken: number;
}

/** EventBridge's `PutEvents` of one Region over real HTTP, with one bus whose rule delivers to one queue. @throws LabUnavailable when no port can be opened */
export async function openEventBridge({ region, account, busName, principals, queue }: BusOptions): Promise<EventBridge> {
  let taken = 0;
  const server = await HttpServer.open(async (request) => {
    if (!signerOf(request, { region, service: 'events', now: new Date(), principals }))
      return jsonResponse(403, { __type: 'AccessDeniedException' });
    const { Entries } = PutEvents.parse(JSON.parse(request.body));
    const answers = Entries.map(({ EventBusName, Source, DetailType, Detail }) => {
      if (EventBusName !== busName) return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: 'there is no such bus' };
      const id = randomUUID();
      const facts = { version: '0', id, account, region, time: new Date().toISOString(), resources: [] };
      queue.put('audit-events', JSON.stringify({ ...facts, 'detail-type': DetailType, source: Source, detail: JSON.parse(Detail) }));
      taken += 1;
      return { EventId: id };
    });
    return jsonResponse(200, { FailedEntryCount: answers.filter((each) => 'ErrorCode' in each).length, Entries: answers });
  });
  return {
    server,
    get taken() {
      return taken;
    },
  };
}
