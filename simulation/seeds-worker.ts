import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { gameNames, playerOf } from './games.ts';

/** One thread of many: plays every `stride`-th seed, and tells of each batch and of each violation. */
const Work = z.object({
  game: z.enum(gameNames),
  document: z.unknown(),
  from: z.int(),
  until: z.int(),
  stride: z.int().positive(),
  breakage: z.string().optional(),
  stopAtFirst: z.boolean(),
});
export type Work = z.input<typeof Work>;

/** What a thread says: seeds played since the last message, and those that broke a promise. */
export interface Progress {
  readonly played: number;
  readonly moved: number;
  readonly events: number;
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly seed: number;
  readonly title: string;
  readonly promise: string;
  readonly says: string;
}

const batch = 50;

const { game, document, from, until, stride, breakage, stopAtFirst } = Work.parse(workerData);
Error.stackTraceLimit = 0; // thousands of errors are thrown on purpose, and nobody reads where
const sound = playerOf(game, { document });
const play = breakage === undefined ? sound : playerOf(game, { document, breakage });
/** What a run breaks without the breakage too does not show it. */
const isItsDoing = async (seed: number) => play === sound || (await sound(seed)).violations.length === 0;
let progress = { played: 0, moved: 0, events: 0, failures: [] as Failure[] };
const tell = () => {
  parentPort?.postMessage(progress satisfies Progress);
  progress = { played: 0, moved: 0, events: 0, failures: [] };
};
for (let seed = from; seed < until; seed += stride) {
  const { violations, title, events, moves } = await play(seed);
  progress.played++;
  progress.events += events;
  progress.moved += moves;
  const [first] = violations;
  const counts = first !== undefined && (await isItsDoing(seed));
  if (counts) progress.failures.push({ seed, title, promise: first.promise, says: first.says });
  if (counts && stopAtFirst) break;
  if (progress.played >= batch) {
    tell();
    await new Promise((resolve) => setImmediate(resolve)); // the run itself lives in one turn of the event loop
  }
}
tell();
