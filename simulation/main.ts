import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { CodeblueError, messageOf } from '../functions/common/errors.ts';
import { parseAs } from '../functions/common/parse.ts';
import { failoverDocument } from './failover-document.ts';
import { breakageIn, breakagesOf, type GameName, movesOf, playerOf } from './games.ts';
import { playSeeds, type Tally } from './play-seeds.ts';
import { timelineLine } from './timeline.ts';

/** `npm run simulate`: see docs/testing.md. Exit code 1 when a promise is broken, or when a breakage is not found. */
const Count = z.coerce.number().int().positive();
const Options = z.strictObject({
  audit: z.boolean().default(false),
  seeds: Count.default(10_000),
  from: Count.default(1),
  seed: Count.optional(),
  break: z.string().optional(),
  breakages: z.boolean().default(false),
  threads: Count.default(availableParallelism()),
  json: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

/** A breakage must be found in fewer runs than this. */
const breakageLimit = 10_000;
const shownFailures = 10;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ...{ seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' }, threads: { type: 'string' } },
      ...{ break: { type: 'string' }, breakages: { type: 'boolean' }, json: { type: 'boolean' }, audit: { type: 'boolean' } },
    },
  });
  const options = parseAs(Options, values, 'the command line');
  if (options.break !== undefined) breakageIn(gameOf(options), options.break); // before anything takes time
  if (options.seed !== undefined) return replay(options.seed, options);
  if (options.breakages) return findBreakages(options);
  return playMany(options);
}

const gameOf = ({ audit }: Options): GameName => (audit ? 'audit' : 'failover');

/** The audit log is simulated without a machine. */
const documentOf = (game: GameName): unknown => (game === 'failover' ? failoverDocument() : undefined);

/** Plays one seed and prints everything that happens. */
async function replay(seed: number, options: Options): Promise<number> {
  const game = gameOf(options);
  const play = playerOf(game, { document: documentOf(game), breakage: options.break });
  const lines: string[] = [];
  const { beginning, end, ...played } = await play(seed, (at, who, what) => lines.push(timelineLine(at, who, what)));
  if (options.json) console.log(JSON.stringify({ seed, ...played, timeline: [...beginning, ...lines, ...end] }));
  else for (const line of [...beginning, ...lines, ...end]) console.log(line);
  return played.violations.length === 0 ? 0 : 1;
}

async function playMany(options: Options): Promise<number> {
  const { seeds, from, threads, break: breakage, json } = options;
  const game = gameOf(options);
  const began = performance.now();
  const work = {
    game,
    document: documentOf(game),
    from,
    count: seeds,
    threads,
    stopAtFirst: false,
    ...(breakage === undefined ? {} : { breakage }),
  };
  const tally = await playSeeds(work, json ? undefined : progressOf(seeds));
  const elapsed = (performance.now() - began) / 1000;
  const figures = { ...tally, from, seconds: Math.round(elapsed * 10) / 10, perSecond: Math.round(tally.played / elapsed) };
  if (json) console.log(JSON.stringify(figures));
  else {
    const { played, moved, events, failures, perSecond } = figures;
    console.log(
      `${played} runs from seed ${from}: ${moved} ${movesOf(game)}, ${(events / 1e6).toFixed(1)} million events, ${failures.length} broken promises; ${figures.seconds} s, ${perSecond} runs/s`,
    );
    for (const { seed, promise, title, says } of failures.slice(0, shownFailures)) {
      console.log(
        `seed ${seed} breaks ${promise} (${title}): ${says}\n  npm run simulate --${game === 'audit' ? ' --audit' : ''} --seed ${seed}${breakage ? ` --break ${breakage}` : ''}`,
      );
    }
  }
  return tally.failures.length === 0 ? 0 : 1;
}

/** Breaks the protocol in each way that is known, and tells after how many runs it shows. */
async function findBreakages(options: Options): Promise<number> {
  const { from, threads, json } = options;
  const game = gameOf(options);
  const document = documentOf(game);
  const found = [];
  for (const { name, says } of breakagesOf(game)) {
    const tally = await playSeeds({ game, document, from, count: breakageLimit, threads, stopAtFirst: true, breakage: name });
    const [first] = tally.failures;
    found.push({ name, says, ...(first ? { runs: first.seed - from + 1, ...first } : {}) });
    if (json) continue;
    console.log(
      `${name.padEnd(32)} ${first ? `found after ${first.seed - from + 1} runs: ${first.promise} ${first.says}` : `NOT FOUND in ${breakageLimit} runs`}`,
    );
  }
  if (json) console.log(JSON.stringify(found));
  return found.every((each) => 'runs' in each) ? 0 : 1;
}

/** Broken promises as they are found, and how far it is: one line that is written over on a terminal, one for each tenth elsewhere. */
function progressOf(total: number): (tally: Tally) => void {
  const began = performance.now();
  let [tenth, shown] = [0, 0];
  return ({ played, failures }) => {
    for (; shown < failures.length; shown++) {
      const failure = failures[shown];
      if (failure && shown < shownFailures)
        process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}seed ${failure.seed} breaks ${failure.promise}\n`);
    }
    const elapsed = (performance.now() - began) / 1000;
    const left = Math.round((elapsed / played) * (total - played));
    const line = `${played} of ${total}, ${failures.length} broken promises, ${Math.round(played / elapsed)} runs/s, ${left} s left`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${played < total ? line : ''}`);
    else if (Math.floor((played / total) * 10) > tenth) {
      tenth = Math.floor((played / total) * 10);
      process.stderr.write(`${line}\n`);
    }
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(messageOf(error));
  if (error instanceof CodeblueError && error.hint) console.error(error.hint);
  process.exitCode = 1;
}
