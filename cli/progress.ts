import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import type { Terminal } from './terminal.ts';

/** Tells what is going on now. The same text twice in a row is told once. */
export type Report = (stage: string) => void;

/**
 * Runs work that takes more than a second and lets it say where it is: a moving line on a terminal, one plain line per stage
 * in a pipe. All of it on standard error; nothing of it with --json.
 *
 * @param options.endsItself when it is broken off (`interruptible`): else Ctrl-C ends the process there and then
 */
export async function withProgress<T>(
  terminal: Terminal,
  title: string,
  work: (report: Report) => Promise<T>,
  { endsItself = false }: { readonly endsItself?: boolean } = {},
): Promise<T> {
  if (terminal.isInteractive) return onTerminal(title, work, endsItself);
  let last = '';
  return work((stage) => {
    if (stage === last || terminal.json) return;
    last = stage;
    terminal.note(`${title}: ${stage}`);
  });
}

async function onTerminal<T>(title: string, work: (report: Report) => Promise<T>, endsItself: boolean): Promise<T> {
  const results: T[] = [];
  const list = new Listr(
    [
      {
        title,
        task: async (_, task) => {
          results.push(
            await work((stage) => {
              task.output = stage;
            }),
          );
        },
      },
    ],
    {
      registerSignalListeners: !endsItself,
      rendererOptions: {
        showErrorMessage: false,
        logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) }),
      },
    },
  );
  await list.run();
  const [result] = results;
  if (result === undefined) throw new Error('the work ended without a result');
  return result;
}
