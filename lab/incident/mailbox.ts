import { z } from 'zod';
import { Severity } from '../../functions/common/incident-policy.ts';

/** What a carrier takes to somebody: a page as the channel's adapter wrote it down. */
export const Message = z.strictObject({
  pageId: z.string(),
  person: z.string(),
  method: z.enum(['email', 'sms', 'https', 'pagerduty', 'slack']),
  /** What a telephone or an inbox shows first. */
  subject: z.string(),
  body: z.string(),
  kind: z.enum(['incident', 'digest', 'test']),
  incidentId: z.string(),
  severity: Severity,
  region: z.string(),
  acknowledgeUrl: z.string().optional(),
});
export type Message = z.output<typeof Message>;
export type Method = Message['method'];

/** A page as it reached somebody. */
export interface Delivery extends Message {
  readonly deliveryId: string;
  /** By the lab's clock, and by `performance.now()`. */
  readonly at: string;
  readonly atMs: number;
}

type Listener = (delivery: Delivery) => void;

/** Everybody's telephones and inboxes. */
export class Mailbox {
  readonly #deliveries: Delivery[] = [];
  readonly #listeners = new Set<Listener>();

  /** Oldest first. */
  get all(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** @returns the carrier's own id of it */
  deliver(message: Message, at: Date): string {
    const deliveryId = `lab-${message.method}-${this.#deliveries.length + 1}`;
    const delivery: Delivery = { ...message, deliveryId, at: at.toISOString(), atMs: performance.now() };
    this.#deliveries.push(delivery);
    for (const listener of this.#listeners) listener(delivery);
    return deliveryId;
  }

  /** @returns call it to hear no more */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
