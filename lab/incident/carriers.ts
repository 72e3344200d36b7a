import { z } from 'zod';
import type { Clock } from '../../functions/common/clock.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import type { Channels } from '../../functions/incidents/ports.ts';
import { HttpServer } from './http-server.ts';
import { type Mailbox, Message, type Method } from './mailbox.ts';

const methods: readonly Method[] = ['email', 'sms', 'https', 'pagerduty', 'slack'];
const Receipt = z.strictObject({ id: z.string() });
/** A page waits no longer for a carrier than the port allows. */
const patienceMs = 5_000;

/** The companies that take pages to people: a real HTTP server each, which delivers into the mailbox, and can die. */
export class Carriers {
  readonly #servers: ReadonlyMap<Method, HttpServer>;

  private constructor(servers: ReadonlyMap<Method, HttpServer>) {
    this.#servers = servers;
  }

  /** @throws LabUnavailable when no port can be opened */
  static async open(mailbox: Mailbox, clock: Pick<Clock, 'now'>): Promise<Carriers> {
    const servers = new Map<Method, HttpServer>();
    for (const method of methods) {
      const server = await HttpServer.open(async ({ body }) => {
        const id = mailbox.deliver(Message.parse(JSON.parse(body)), clock.now());
        return { status: 202, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ id }) };
      });
      servers.set(method, server);
    }
    return new Carriers(servers);
  }

  of(method: Method): HttpServer {
    const found = this.#servers.get(method);
    if (!found) throw new TypeError(`there is no carrier for ${method}`);
    return found;
  }

  close(): void {
    for (const server of this.#servers.values()) server.kill();
  }
}

/** Real HTTP to the carriers. */
export function labChannels(carriers: Carriers): Channels {
  return {
    async send({ person, method: { kind: method }, pageId }, { subject, body, short, facts }) {
      const link = facts.kind === 'incident' && facts.acknowledgeUrl !== undefined ? { acknowledgeUrl: facts.acknowledgeUrl } : {};
      const { kind, incidentId, severity, region } = facts;
      const message: Message = {
        ...{ pageId, person, method, kind, incidentId, severity, region },
        ...link,
        subject: method === 'sms' ? short : subject,
        body: method === 'sms' ? '' : body,
      };
      try {
        const response = await fetch(carriers.of(method).url, {
          method: 'POST',
          headers: { connection: 'close' },
          body: JSON.stringify(message),
          signal: AbortSignal.timeout(patienceMs),
        });
        return Receipt.parse(await response.json()).id;
      } catch (cause) {
        throw new ServiceUnavailable(`the carrier of ${method} does not answer`, { cause });
      }
    },
    async check({ method: { kind } }) {
      const answers = await fetch(carriers.of(kind).url, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(patienceMs),
      }).then(
        async (response) => {
          await response.body?.cancel();
          return true;
        },
        () => false,
      );
      return answers ? [] : [`the carrier of ${kind} does not answer`];
    },
  };
}
