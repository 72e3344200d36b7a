import type { IncidentPolicy, Severity } from '../../common/incident-policy.ts';
import { severities } from '../../common/incident-policy.ts';

/** PagerDuty's four words (Common Event Format). */
export const pagerdutySeverities = { critical: 1, error: 2, warning: 3, info: 4 } as const satisfies Record<string, Severity>;

/** Words that people put into Prometheus' label `severity`, which has no fixed ones. */
const labels: Readonly<Record<string, Severity>> = {
  ...pagerdutySeverities,
  ...{ emergency: 1, fatal: 1, disaster: 1 },
  ...{ err: 2, high: 2, major: 2, page: 2 },
  ...{ warn: 3, minor: 3, medium: 3, ticket: 3 },
  ...{ information: 4, informational: 4, notice: 4, low: 4, debug: 4, none: 4 },
};

/**
 * The severity of a label: the profile's own names (`P0`, `SEV-1`), numbers 1 to 4, or the usual words. A label that is missing or says something else is 2: what nobody has
 * graded is not to be slept through, and does not go before a P0.
 */
export function severityOfLabel(label: unknown, policy: Pick<IncidentPolicy, 'severities'>): Severity {
  if (typeof label !== 'string') return 2;
  const word = label.trim().toLowerCase();
  const named = severities.find((severity) => String(severity) === word || policy.severities[severity].name.toLowerCase() === word);
  return named ?? (Object.hasOwn(labels, word) ? labels[word] : undefined) ?? 2;
}
