import type { ContactMethod, IncidentPolicy, Person, Severity } from '../../common/incident-policy.ts';
import { contactMethods } from '../escalation/due-pages.ts';
import type { Page } from '../models.ts';

/** What tells one way to reach somebody from another. */
export const contactKey = (method: ContactMethod): string => {
  switch (method.kind) {
    case 'email':
      return `email/${method.address}`;
    case 'sms':
      return `sms/${method.number}`;
    case 'https':
      return `https/${method.url}`;
    case 'pagerduty':
    case 'slack':
      return method.kind;
  }
};

/** Every way to reach a person, each once; the urgent ones first. */
export const allMethods = ({ urgent, calm = [] }: Person): readonly ContactMethod[] => [
  ...new Map([...urgent, ...calm].map((method) => [contactKey(method), method])).values(),
];

/**
 * The way that a page is to take. Its id ends with the place of the method in the person's list; where the incident became worse or better since the page was planned
 * that is the other list, so the kind must fit too.
 *
 * @returns undefined when the person, or every way of that kind, has been taken out of the config since
 */
export function contactOf(page: Page, policy: IncidentPolicy, severity: Severity): ContactMethod | undefined {
  const person = policy.people.find(({ id }) => id === page.person);
  if (!person) return undefined;
  const all = allMethods(person);
  const lists = page.reason === 'synthetic' ? [all] : [contactMethods(person, severity), person.urgent, person.calm ?? []];
  const index = Number(page.pageId.split('/').at(-1));
  const placed = lists.map((list) => list[index]).find((method) => method?.kind === page.method);
  return placed ?? all.find(({ kind }) => kind === page.method);
}
