import type { Regulation } from './regulatory-clocks.ts';

/** One thing that the authority asks, and the fact that answers it where Codeblue knows one. */
export interface AuthorityQuestion {
  readonly asks: string;
  /** The rule that asks it. */
  readonly source: string;
  /** Facts that answer it, by name; without one, or where the fact is not known, it is a gap for people. */
  readonly facts: readonly AuthorityFact[];
  /** What people must find out. */
  readonly gap: string;
}

export type AuthorityFact =
  | 'contact'
  | 'incident'
  | 'began'
  | 'discovered'
  | 'ended'
  | 'what-happened'
  | 'where'
  | 'measures'
  | 'evidence'
  | 'told-others'
  | 'delay';

/**
 * What the forms ask. GDPR: article 33(3) and 33(1). HIPAA: 45 CFR 164.408 and the notice of 164.404(c), in the order of the form of the Office for Civil Rights
 * (ocrportal.hhs.gov, "Notice of a breach").
 */
export const authorityForms: Readonly<Record<Regulation, { readonly title: string; readonly questions: readonly AuthorityQuestion[] }>> = {
  gdpr: {
    title: 'Notification of a personal data breach to the supervisory authority (GDPR article 33)',
    questions: [
      {
        asks: 'Controller, and the contact point for more information',
        source: 'art. 33(3)(b)',
        facts: ['contact'],
        gap: 'name and address of the controller; name of the data protection officer',
      },
      {
        asks: 'Nature of the breach',
        source: 'art. 33(3)(a)',
        facts: ['incident', 'what-happened', 'where'],
        gap: 'confidentiality, integrity or availability; how it came about',
      },
      {
        asks: 'When it began, when it became known, when it ended',
        source: 'art. 33(1)',
        facts: ['began', 'discovered', 'ended'],
        gap: 'the true beginning, where it lies before the first alarm',
      },
      {
        asks: 'Categories and approximate number of data subjects',
        source: 'art. 33(3)(a)',
        facts: [],
        gap: 'patients, staff, others; how many of each',
      },
      {
        asks: 'Categories and approximate number of records',
        source: 'art. 33(3)(a)',
        facts: [],
        gap: 'kinds of data (health data is a special category, art. 9); how many records',
      },
      { asks: 'Likely consequences', source: 'art. 33(3)(c)', facts: [], gap: 'what it can mean for those concerned' },
      {
        asks: 'Measures taken or proposed',
        source: 'art. 33(3)(d)',
        facts: ['measures'],
        gap: 'what is proposed, and what mitigates adverse effects',
      },
      {
        asks: 'Communication to data subjects',
        source: 'art. 34',
        facts: ['told-others'],
        gap: 'whether the risk is high, and how they are told',
      },
      { asks: 'Documentation of the breach', source: 'art. 33(5)', facts: ['evidence'], gap: 'documents that are kept elsewhere' },
      { asks: 'Reasons for a delay over 72 hours', source: 'art. 33(1)', facts: ['delay'], gap: 'the reasons' },
    ],
  },
  hipaa: {
    title: 'Notice of a breach of unsecured protected health information to the Secretary (HIPAA 45 CFR 164.408)',
    questions: [
      {
        asks: 'Covered entity or business associate, and its contact',
        source: '164.408',
        facts: ['contact'],
        gap: 'name, address and type of the covered entity; the business associate where it happened at one',
      },
      {
        asks: 'Individuals affected',
        source: '164.408(b), (c)',
        facts: [],
        gap: 'how many; from 500 on the media of the State are told too (164.406), and the Secretary at the same time as the individuals',
      },
      { asks: 'Date of the breach', source: '164.404(c)(1)(A)', facts: ['began', 'ended'], gap: 'the true beginning and end' },
      { asks: 'Date of discovery', source: '164.404(a)(2)', facts: ['discovered'], gap: 'an earlier day, if somebody should have known' },
      {
        asks: 'Type of the breach',
        source: 'form of the OCR',
        facts: [],
        gap: 'hacking or IT incident, unauthorised access or disclosure, theft, loss, improper disposal',
      },
      {
        asks: 'Location of the information',
        source: 'form of the OCR',
        facts: ['where'],
        gap: 'network server, electronic medical record, e-mail, portable device, paper',
      },
      {
        asks: 'Types of information involved',
        source: '164.404(c)(1)(B)',
        facts: [],
        gap: 'clinical, demographic, financial, other; and whether it was secured (164.402)',
      },
      {
        asks: 'What happened',
        source: '164.404(c)(1)(A)',
        facts: ['incident', 'what-happened'],
        gap: 'a brief description in words for people who are not engineers',
      },
      {
        asks: 'Safeguards before the breach',
        source: 'form of the OCR',
        facts: [],
        gap: 'safeguards of the Privacy Rule and the Security Rule that were in place',
      },
      { asks: 'What individuals should do to protect themselves', source: '164.404(c)(1)(C)', facts: [], gap: 'the steps' },
      {
        asks: 'Notices to individuals and media',
        source: '164.404(d), 164.406',
        facts: ['told-others'],
        gap: 'when the letters were sent, and substitute notice where addresses are not known',
      },
      {
        asks: 'Actions taken in response',
        source: '164.404(c)(1)(D)',
        facts: ['measures'],
        gap: 'what is done to investigate, to mitigate harm, and against further breaches',
      },
      {
        asks: 'Risk assessment that decided it',
        source: '164.402(2), 164.414(b)',
        facts: ['evidence'],
        gap: 'the four factors, and who assessed them',
      },
      {
        asks: 'Reasons for a delay',
        source: '164.404(b), 164.412',
        facts: ['delay'],
        gap: 'why it took so long; a statement of law enforcement where it asked for one',
      },
    ],
  },
};
