import { after, days, hours } from '../../common/duration.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';

/** A law's clock: who must be told, and until when. */
export interface TellingDeadline {
  readonly regulation: 'gdpr' | 'hipaa';
  readonly rule: string;
  readonly whom: string;
  readonly until: Timestamp;
}

/** Both run from when the breach became known; people who learned of it earlier count from then. Whether a rule applies is for the compliance contact to say. */
const rules = [
  { regulation: 'gdpr', rule: 'GDPR article 33', whom: 'the supervisory authority', within: hours(72) },
  {
    regulation: 'hipaa',
    rule: 'HIPAA 45 CFR 164.404-408',
    whom: 'affected people without delay, and the Secretary',
    within: days(60),
  },
] as const;

export const tellingDeadlines = (declaredAt: Timestamp): readonly TellingDeadline[] =>
  rules.map(({ within, ...rule }) => ({ ...rule, until: timestamp(after(new Date(declaredAt), within)) }));
