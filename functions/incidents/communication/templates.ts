/** What a template asks of people: free text, which somebody writes and somebody else approves. */
export interface WordSlot {
  readonly name: string;
  /** What to write there, for whoever writes it. */
  readonly asks: string;
}

/** A text of the manuals. `{name}` stands for a fact of the incident, or for one of its words. */
export interface CommunicationTemplate {
  readonly id: string;
  readonly audience: 'internal' | 'external' | 'media';
  /** Where it comes from. */
  readonly source: string;
  readonly subject: string;
  readonly text: string;
  readonly words: readonly WordSlot[];
}

const impact: WordSlot = { name: 'impact', asks: 'what people cannot do now, or see wrongly' };
const description: WordSlot = { name: 'description', asks: 'in a few words, what does not work' };
const channel: WordSlot = { name: 'channel', asks: 'where updates appear: the address of the status page, or a telephone number' };

/**
 * The templates of both manuals. The hms manual gives two texts, which are here as they stand there but for their fields; arocord names occasions (8.3, 4.3.3, 9.2.2) and leaves
 * the words open.
 */
export const communicationTemplates: readonly CommunicationTemplate[] = [
  {
    id: 'hms-internal',
    audience: 'internal',
    source: 'hms operations manual, "Internal Notification"',
    subject: 'INCIDENT: {title}',
    text: ['INCIDENT: {title}', 'Severity: {severity}', 'Status: {status}', 'Impact: {impact}', 'ETA: {eta}'].join('\n'),
    words: [impact],
  },
  {
    id: 'hms-external',
    audience: 'external',
    source: 'hms operations manual, "External Communication"',
    subject: 'We are working on a problem with {services}',
    text: [
      'Dear {audience},',
      '',
      'We are experiencing {description} that may affect {services}.',
      'Our team is working to resolve this quickly.',
      'We apologize for any inconvenience.',
      '',
      'Status updates will be provided at {channel}.',
    ].join('\n'),
    words: [{ name: 'audience', asks: 'whom it speaks to: Customer, User' }, description, channel],
  },
  {
    id: 'arocord-status-update',
    audience: 'internal',
    source: 'arocord maintenance plan 8.3.1, status updates to stakeholders',
    subject: '{severity} {status}: {title}',
    text: [
      '{incident}: {title}',
      '{severity}, {status}, in the phase {phase}. Open since {openedAt}.',
      'What it means: {impact}',
      'Who leads: {commander}. Expected to be over: {eta}.',
    ].join('\n'),
    words: [impact],
  },
  {
    id: 'arocord-user-notification',
    audience: 'external',
    source: 'arocord maintenance plan 8.3.2, status page and e-mail updates',
    subject: '{services}: {status}',
    text: [
      'Status: {status} (since {openedAt})',
      'Affected: {services}',
      '',
      '{description}',
      '',
      'The next update appears at {channel}.',
    ].join('\n'),
    words: [description, channel],
  },
  {
    id: 'arocord-disruption',
    audience: 'external',
    source: 'arocord maintenance plan 4.3.3, "notify users of temporary disruption"',
    subject: '{services} is interrupted for a short time',
    text: [
      '{services} is being moved to another place and is interrupted meanwhile.',
      '{description}',
      'Until it is back, please follow {fallback}. Updates: {channel}.',
    ].join('\n'),
    words: [description, { name: 'fallback', asks: 'what people do meanwhile: the downtime procedure of the ward' }, channel],
  },
  {
    id: 'arocord-all-clear',
    audience: 'external',
    source: 'arocord maintenance plan 9.2.2, completion notification',
    subject: '{services} works again',
    text: ['{services} works again since {resolvedAt}.', '{description}', 'If something is still wrong: {channel}.'].join('\n'),
    words: [{ name: 'description', asks: 'what was done, and whether anybody has to do something now' }, channel],
  },
  {
    id: 'arocord-media',
    audience: 'media',
    source: 'arocord maintenance plan 8.3.2, prepared statements for significant incidents',
    subject: 'Statement on {services}',
    text: [
      'Since {openedAt} {services} has been affected by {description}.',
      'Care of patients: {care}',
      'The cause is being examined. We will say more at {channel}.',
    ].join('\n'),
    words: [description, { name: 'care', asks: 'how patients are cared for meanwhile' }, channel],
  },
];
