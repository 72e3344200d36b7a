import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { IncidentClock } from './clocks.ts';
import { type PostMortemSources, postMortemFindings } from './post-mortem-findings.ts';

const mostLines = 500;

/** One cell or line of Markdown: what somebody wrote must not become a heading, a column or a tag. */
const plain = (text: string): string => text.replace(/[\r\n]+/g, ' ').replace(/[\\|`*_#<>[\]]/g, (sign) => `\\${sign}`);

const clockLine = (name: string, { deadline, status, at, seconds }: IncidentClock): string =>
  `| ${name} | ${deadline} | ${at ?? '-'} | ${formatSeconds(seconds)} | ${status === 'missed' ? '**missed**' : status} |`;

/**
 * A draft: what happened is filled in by facts, why and what to do is left to people. The draft is made of ids, times and what people wrote into the timeline, so it stays
 * where the timeline is: in the house.
 */
export function postMortemMarkdown(sources: PostMortemSources, policy: Pick<IncidentPolicy, 'severities'>, writtenAt: Date): string {
  const { incident, timeline, pages, clocks, phases } = sources;
  const { well, badly } = postMortemFindings(sources);
  const end = incident.resolvedAt ? new Date(incident.resolvedAt) : writtenAt;
  const list = (lines: readonly string[]) =>
    lines.length > 0 ? lines.map((text) => `- ${plain(text)}.`) : ['- Nothing that the facts show.'];
  return [
    `# Post-mortem of ${incident.id}`,
    '',
    `Draft of ${writtenAt.toISOString()}. Without blame: what made it possible, not who. Everything in brackets is for people.`,
    '',
    '## What happened',
    '',
    `- ${policy.severities[incident.severity].name}, opened at ${incident.openedAt} in ${incident.home}, ${incident.status}${incident.resolvedAt ? ` at ${incident.resolvedAt} by ${plain(incident.resolvedBy ?? 'nobody')}` : ''}; ${formatSeconds(secondsBetween(new Date(incident.openedAt), end))}.`,
    ...Object.entries(incident.roles).map(([role, person]) => `- ${role}: ${plain(person)}`),
    '- Root cause: [why it happened, and why it was possible]',
    '',
    '## Impact',
    '',
    '| What | alarm | first | last | signals |',
    '| --- | --- | --- | --- | --- |',
    ...incident.troubles.map(
      ({ subject, region, alarm, firstAt, lastAt, signals }) =>
        `| ${subject} in ${region} | ${alarm} | ${firstAt} | ${lastAt} | ${signals} |`,
    ),
    '',
    '[Who could not work, for how long, and what they did instead. Whether data was lost or seen by others.]',
    '',
    '## Timeline',
    '',
    '| When | who | what |',
    '| --- | --- | --- |',
    ...timeline.slice(0, mostLines).map(({ at, by, kind, says }) => `| ${at} | ${plain(by)} | ${kind}: ${plain(says)} |`),
    ...(timeline.length > mostLines ? ['', `${timeline.length - mostLines} more lines: codeblue incident show ${incident.id} --json`] : []),
    '',
    '## Clocks',
    '',
    '| Clock | deadline | stopped | time | |',
    '| --- | --- | --- | --- | --- |',
    clockLine('response', clocks.response),
    clockLine('resolution', clocks.resolution),
    ...phases.map(
      ({ phase, until, endedAt, status }) =>
        `| ${phase} | ${until} | ${endedAt ?? '-'} | | ${status === 'missed' ? '**missed**' : status} |`,
    ),
    '',
    `Pages: ${pages.filter(({ status }) => status === 'accepted').length} taken, ${pages.filter(({ status }) => status === 'failed').length} refused, ${pages.filter(({ status }) => status === 'not-needed').length} not needed any more.`,
    '',
    '## What went well',
    '',
    ...list(well),
    '- [...]',
    '',
    '## What went badly',
    '',
    ...list(badly),
    '- [...]',
    '',
    '## Actions',
    '',
    '| What | who | until |',
    '| --- | --- | --- |',
    ...[...new Set(incident.troubles.map(({ alarm }) => alarm))].map(
      (alarm) => `| Bring docs/runbooks/${alarm}.md up to date: did it help? | [...] | [...] |`,
    ),
    ...badly.map((text) => `| So that it does not happen again: ${plain(text)} | [...] | [...] |`),
    '| [...] | [...] | [...] |',
    ...(incident.links.length > 0 ? ['', '## Kept', '', ...incident.links.map(({ kind, ref }) => `- ${kind}: ${plain(ref)}`)] : []),
    '',
  ].join('\n');
}
