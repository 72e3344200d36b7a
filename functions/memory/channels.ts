import type { Clock } from '../common/clock.ts';
import { InvalidInput } from '../common/errors.ts';
import { contactKey } from '../incidents/paging/contact.ts';
import { ChannelRefused } from '../incidents/paging/errors.ts';
import type { PageText } from '../incidents/paging/page-text.ts';
import type { Channels, Recipient } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';

/** A page that a channel took. */
export interface Delivered extends Recipient {
  readonly pageId: string;
  readonly text: PageText;
  readonly at: Date;
}

export interface MemoryChannels extends Channels, Failable<Channels> {
  /** Everything that was taken, in order. */
  readonly delivered: readonly Delivered[];
  /** Channels of that kind, or one way to reach somebody (`email/oncall@example.org`), refuse everything from now on; `null`: they take pages again. */
  setTrouble(what: string, why: string | null): void;
}

/**
 * Channels that keep what they take. Like PagerDuty, one of that kind takes one page id once; like SNS, the others take it as often as it comes.
 */
export function memoryChannels(clock: Pick<Clock, 'now'>): MemoryChannels {
  const delivered: Delivered[] = [];
  const troubles = new Map<string, string>();
  const troubleOf = ({ method }: Recipient): string | undefined => troubles.get(method.kind) ?? troubles.get(contactKey(method));
  const port = failable<Channels>({
    async send({ person, method, pageId }, text) {
      // What SNS does with a subject or an SMS beyond its limits must not work in a test either.
      if (text.subject.length > 100 || text.short.length > 160) throw new InvalidInput('the text of a page is too long');
      const trouble = troubleOf({ person, method });
      if (trouble !== undefined) throw new ChannelRefused(trouble);
      const known = delivered.some((each) => each.pageId === pageId && each.method.kind === method.kind);
      if (method.kind !== 'pagerduty' || !known) delivered.push({ person, method, pageId, text, at: clock.now() });
      return `${method.kind} ${delivered.length}`;
    },
    async check(to) {
      const trouble = troubleOf(to);
      return trouble === undefined ? [] : [`${to.person} by ${to.method.kind}: ${trouble}`];
    },
  });
  return Object.assign(port, {
    delivered,
    setTrouble(what: string, why: string | null) {
      if (why === null) troubles.delete(what);
      else troubles.set(what, why);
    },
  });
}
