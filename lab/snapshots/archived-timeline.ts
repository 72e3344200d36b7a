import { readdirSync } from 'node:fs';

/** Timeline of the server that archives here: each promotion begins a new one and leaves its history file; the first is 1. */
export function archivedTimeline(archiveDir: string): number {
  const histories = readdirSync(archiveDir).flatMap((name) => /^([0-9A-F]{8})\.history$/.exec(name)?.[1] ?? []);
  return Math.max(1, ...histories.map((timeline) => Number.parseInt(timeline, 16)));
}
