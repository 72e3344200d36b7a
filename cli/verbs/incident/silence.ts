import { audited } from '../../../functions/audit/audited.ts';
import { InvalidInput, NotFound } from '../../../functions/common/errors.ts';
import { regionsOf } from '../../../functions/common/operations-lookup.ts';
import { endedSilence, silenceFor } from '../../../functions/incidents/incident/silence.ts';
import { subjectOf } from '../../../functions/incidents/ingest/subject-of.ts';
import { AlarmName, type Silence } from '../../../functions/incidents/models.ts';
import type { Session } from '../../session.ts';
import type { actorOf } from './change.ts';

export const silencePorts = ['auditLog', 'incidents'] as const;
type SilenceSession = Session<(typeof silencePorts)[number]>;

export interface SilenceOptions {
  readonly alarm?: string;
  readonly subject?: string;
  readonly inRegion?: string;
  readonly reason: string;
}

const none = 'nothing-of-the-config';

/** @throws InvalidInput for names that there are not */
export function planSilence(
  { operations, clock }: SilenceSession,
  { alarm, subject: word, inRegion, reason }: SilenceOptions,
  times: { readonly from?: Date; readonly until: Date },
  by: string,
): Silence {
  const name = alarm === undefined ? undefined : AlarmName.safeParse(alarm);
  if (name && !name.success)
    throw new InvalidInput(`"${alarm}" is no name of an alarm`, {
      hint: 'It is the name of its page in docs/runbooks, such as ServiceDown.',
    });
  const subject = word === undefined ? undefined : subjectOf([word], operations, none);
  if (subject === none)
    throw new InvalidInput(`the config has nothing called "${word}"`, { hint: 'A service, database, capacity or Region of the config.' });
  const region = regionsOf(operations).find((each) => each === inRegion);
  if (inRegion !== undefined && !region)
    throw new InvalidInput(`${inRegion} is no Region of this deployment`, { hint: `It has: ${regionsOf(operations).join(', ')}.` });
  const now = clock.now();
  return silenceFor({ alarm: name?.data, subject, region, reason, by, now, from: times.from ?? now, until: times.until });
}

export const renderSilence = ({ silenceId, alarm, subject, region, from, until }: Silence): string =>
  `${silenceId}: nobody is paged for ${alarm ?? 'any alarm'} of ${subject ?? 'anything'}${region ? ` in ${region}` : ''} from ${from} until ${until}. What still rings then pages once.`;

export async function putSilence(
  { ports, clock, region }: SilenceSession,
  silence: Silence,
  action: 'silence-alarms' | 'end-silence',
  { principal, by }: ReturnType<typeof actorOf>,
): Promise<Silence> {
  const act = {
    ...{ actor: `cli/${principal}`.slice(0, 200), action, resource: silence.silenceId },
    details: { alarm: silence.alarm ?? null, subject: silence.subject ?? null, until: silence.until, reason: silence.reason, as: by },
  };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.incidents.putSilence(silence));
  return silence;
}

/** @throws NotFound, InvalidInput when it has ended already */
export async function planEnd({ ports, clock }: SilenceSession, silenceId: string): Promise<Silence> {
  const found = (await ports.incidents.silences()).find((silence) => silence.silenceId === silenceId);
  if (!found) throw new NotFound(`there is no silence ${silenceId}`, { hint: 'codeblue incident list shows those in force.' });
  return endedSilence(found, clock.now());
}
