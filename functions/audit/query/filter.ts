import { z } from 'zod';
import { ActionName } from '../../common/audit-policy.ts';
import { after, before, type Duration, days } from '../../common/duration.ts';
import { InvalidInput } from '../../common/errors.ts';
import { Outcome, PatientRef } from '../events/event.ts';
import type { EventFilter } from '../ports.ts';

/** What a person asks for. Absent is everything, and absent times are the last so-and-so long. */
export interface FilterWords {
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
  readonly user?: string | undefined;
  readonly patient?: string | undefined;
  readonly resource?: string | undefined;
  readonly action?: string | undefined;
  readonly outcome?: string | undefined;
}

/** An application's clock may be ahead of ours (`audit.clockSkew.ahead`): "until now" is not to leave out what was recorded just now. */
const aheadOfNow = days(1);

const Line = z.string().min(1).max(500);

/**
 * A filter of words. What is wrong is named by its option, and never repeated: it may be somebody's id.
 *
 * @param lookBack how far `from` lies before now where it is not given
 * @throws InvalidInput
 */
export function filterFrom(words: FilterWords, { now, lookBack }: { readonly now: Date; readonly lookBack: Duration }): EventFilter {
  const until = words.until ?? after(now, aheadOfNow);
  const from = words.from ?? before(words.until ?? now, lookBack);
  if (from >= until) {
    throw new InvalidInput(`nothing lies between ${from.toISOString()} and ${until.toISOString()}`, {
      hint: 'The beginning must be before the end; the end itself is not included.',
    });
  }
  const userId = word('user', Line.max(128), words.user, 'an id of 1 to 128 characters');
  const patientRef = word('patient', PatientRef, words.patient, 'an opaque id of 4-128 letters, digits, _ . : -');
  const resource = word('resource', Line, words.resource, '<type>/<id>, at most 500 characters');
  const action = word('action', ActionName, words.action, 'a word such as record.read');
  const outcome = word('outcome', Outcome, words.outcome, Outcome.options.join(', '));
  return {
    ...{ from, until },
    ...(userId === undefined ? {} : { userId }),
    ...(patientRef === undefined ? {} : { patientRef }),
    ...(resource === undefined ? {} : { resource }),
    ...(action === undefined ? {} : { action }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

function word<S extends z.ZodType>(option: string, schema: S, given: string | undefined, wanted: string): z.output<S> | undefined {
  if (given === undefined) return undefined;
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(`what was given for the ${option} is none`, { hint: `Wanted: ${wanted}.` });
}
