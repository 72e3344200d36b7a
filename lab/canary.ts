import { writeCanaries } from '../functions/backup/write-canary.ts';
import { timestamp } from '../functions/common/ids.ts';
import { runTask } from '../functions/handlers/run-operation.ts';
import type { Lab } from './lab.ts';

/** How long one run of the task writes here; the deployed one writes for a minute. */
const runMilliseconds = 2_000;
/** The task ends this much before its deadline. */
const taskMargin = 5_000;

/** Runs the canary task again and again, as its schedule would, until stopped. */
export function startCanary(lab: Lab): { readonly begun: Promise<void>; stop(): Promise<void> } {
  const begun = Promise.withResolvers<void>();
  const { primary } = lab.regions;
  const [database] = lab.operations.databases;
  let stopped = false;
  const loop = async (): Promise<void> => {
    while (!stopped) {
      const now = lab.clock.now();
      const event = { key: 'canary', scheduledAt: timestamp(now), input: { databaseId: database?.id } };
      const deadline = new Date(now.getTime() + runMilliseconds + taskMargin);
      await runTask(writeCanaries, event, lab.host(primary), deadline);
      begun.resolve();
    }
  };
  const running = loop().catch((error: unknown) => begun.reject(error));
  return {
    begun: begun.promise,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
