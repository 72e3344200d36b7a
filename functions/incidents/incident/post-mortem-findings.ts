import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import type { Incident, Page, TimelineEntry } from '../models.ts';
import type { IncidentClocks } from './clocks.ts';
import type { PhaseClock } from './phase.ts';

/** What the facts say went well, and what did not; why, and what to do, is for people. */
export interface PostMortemFindings {
  readonly well: readonly string[];
  readonly badly: readonly string[];
}

export interface PostMortemSources {
  readonly incident: Incident;
  readonly timeline: readonly TimelineEntry[];
  readonly pages: readonly Page[];
  readonly clocks: IncidentClocks;
  readonly phases: readonly PhaseClock[];
}

const clockFindings = ({ clocks, phases }: PostMortemSources) => {
  const { response, resolution } = clocks;
  const took = (name: string, clock: IncidentClocks['response']) =>
    `${name} within ${formatSeconds(clock.seconds)} (deadline ${clock.deadline})`;
  return [
    {
      isWell: response.status === 'kept',
      says: response.at ? took('Answered', response) : `Nobody answered before ${response.deadline}`,
      isOver: response.status !== 'running',
    },
    {
      isWell: resolution.status === 'kept',
      says: resolution.at ? took('Resolved', resolution) : `Not resolved before ${resolution.deadline}`,
      isOver: resolution.status !== 'running',
    },
    ...phases.map(({ phase, status, until }) => ({
      isWell: status === 'kept',
      says: status === 'kept' ? `The phase ${phase} was over in time` : `The phase ${phase} was not over before ${until}`,
      isOver: status === 'kept' || status === 'missed',
    })),
  ].filter(({ isOver }) => isOver);
};

function pageFindings({ pages, incident }: PostMortemSources) {
  const ofSteps = pages.filter(({ reason }) => reason !== 'synthetic');
  const accepted = ofSteps.flatMap(({ acceptedAt }) => acceptedAt ?? []).sort();
  const failed = ofSteps.filter(({ status }) => status === 'failed');
  const late = ofSteps.filter(({ acceptedAt, dueAt }) => acceptedAt && secondsBetween(new Date(dueAt), new Date(acceptedAt)) > 60);
  const stale = ofSteps.filter(({ reason }) => reason === 'stale-acknowledgement');
  const steps = new Set(ofSteps.filter(({ status }) => status === 'accepted').map(({ pageId }) => pageId.split('/').slice(1, 4).join('/')));
  return {
    well: [
      ...(accepted[0]
        ? [
            `The first page was taken ${formatSeconds(Math.max(0, secondsBetween(new Date(incident.openedAt), new Date(accepted[0]))))} after the opening`,
          ]
        : []),
      ...(ofSteps.length > 0 && failed.length === 0 ? ['Every page was taken by its channel at the first way tried'] : []),
    ],
    badly: [
      ...(failed.length > 0
        ? [
            `${failed.length} pages were not taken: ${[...new Set(failed.map(({ method, person }) => `${person} by ${method}`))].join(', ')}`,
          ]
        : []),
      ...(late.length > 0 ? [`${late.length} pages were taken more than a minute after they were due`] : []),
      ...(stale.length > 0 ? ['An acknowledgement ran out, and people were told again'] : []),
      ...(steps.size > 1 ? [`${steps.size} steps of the escalation were told before it was over`] : []),
    ],
  };
}

/** Facts only: clocks, pages, and what the timeline counts. */
export function postMortemFindings(sources: PostMortemSources): PostMortemFindings {
  const { incident, timeline } = sources;
  const clocks = clockFindings(sources);
  const pages = pageFindings(sources);
  const count = (kind: TimelineEntry['kind']) => timeline.filter((entry) => entry.kind === kind).length;
  const raised = timeline.filter(({ kind, says }) => kind === 'severity' && says.startsWith('raised')).length;
  return {
    well: [...clocks.filter(({ isWell }) => isWell).map(({ says }) => says), ...pages.well],
    badly: [
      ...clocks.filter(({ isWell }) => !isWell).map(({ says }) => says),
      ...pages.badly,
      ...(count('reopening') > 0 ? [`It came back ${count('reopening')} times after it had been resolved`] : []),
      ...(raised > 0 ? [`It was taken for less than it was: raised ${raised} times`] : []),
      ...(incident.severity <= 2 && !incident.roles.commander ? ['Nobody was its commander'] : []),
      ...(count('note') === 0 ? ['Nobody wrote down what was done: there is no note'] : []),
    ],
  };
}
