import { badLinks, channelDies } from './incident/channel-dies.ts';
import { lostRegion } from './incident/lost-region.ts';
import { announceWork, workEnds } from './incident/maintenance.ts';
import { oneCause } from './incident/one-cause.ts';
import { otherTools } from './incident/other-tools.ts';
import { runawayQuery } from './incident/runaway-query.ts';
import type { IncidentStage } from './incident/stage.ts';
import { storm } from './incident/storm.ts';
import { mended, unanswered } from './incident/unanswered.ts';
import { withheldPage } from './incident/withheld-page.ts';

/** The parts of the story, in its order: the last ones set the clock forward, and lose what the others need. */
const parts = {
  answer: async (stage: IncidentStage) => {
    const answered = await unanswered(stage);
    await badLinks(stage, answered);
    await otherTools(stage);
    await mended(stage, answered);
  },
  /** A channel dies while the work goes on that was announced. */
  channel: async (stage: IncidentStage) => {
    const work = await announceWork(stage);
    await channelDies(stage);
    await workEnds(stage, work);
  },
  cause: oneCause,
  storm,
  runbook: runawayQuery,
  auditor: withheldPage,
  region: lostRegion,
} as const satisfies Record<string, (stage: IncidentStage) => Promise<void>>;

export type IncidentPart = keyof typeof parts;
export const incidentParts: readonly string[] = Object.keys(parts);
export const isIncidentPart = (name: string): name is IncidentPart => Object.hasOwn(parts, name);

/** From an alarm to a person who answers, in every way that the lab knows; or only those that are named. */
export async function incidentScenario(stage: IncidentStage, only: readonly IncidentPart[] | undefined): Promise<void> {
  for (const name of Object.keys(parts).filter(isIncidentPart)) {
    if (only === undefined || only.includes(name)) await parts[name](stage);
  }
}
