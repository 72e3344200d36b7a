import { createHash } from 'node:crypto';
import { AlarmName } from '../models.ts';
import type { Integration } from './integration-of.ts';

/** Raised when the rule on what makes two signals the same trouble changes. */
const version = 'v1';

/** `v1:` and a digest of these words. JSON keeps them apart: `a,b` and `c` are not `a` and `b,c`. */
export const dedupKeyOf = (...words: readonly string[]): string =>
  `${version}:${createHash('sha256').update(JSON.stringify(words)).digest('hex')}`;

/** As long as a note may be. */
const longestNote = 2000;

/** Free text of another tool, for people who look the incident up: lines of `name: value`, those without a value left out. */
export function noteOf(lines: readonly (readonly [name: string, value: unknown])[]): string {
  const said = lines.flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value.slice(0, longestNote) : '';
    return text === '' ? [] : [`${name}: ${text}`];
  });
  return said.join('\n').slice(0, longestNote).toWellFormed();
}

/** What alerts are called in pages whose own names are not in the config, by door. Each has a runbook page. */
const unnamed = { pagerduty: 'PagerDutyEvent', alertmanager: 'AlertmanagerAlert' } as const satisfies Record<Integration['kind'], string>;

/** The name of an alert as it may stand in a page: one that the config lists for this integration, else that of its door. Never what the tool wrote. */
export function alarmOfIntegration(words: readonly unknown[], { kind, alarms }: Integration): AlarmName {
  return AlarmName.parse(alarms.find((name) => words.includes(name)) ?? unnamed[kind]);
}
