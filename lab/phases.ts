import { Listr } from 'listr2';

/** Says what goes on inside a phase; replaces the line before it on a terminal, adds a line in a pipe. */
export type Say = (text: string) => void;

/** Runs the phases of a scenario one after the other and shows them. */
export interface Phases {
  run<T>(name: string, work: (say: Say) => Promise<T>): Promise<T>;
  readonly done: readonly { readonly name: string; readonly seconds: number }[];
}

/** `terminal`: one live line per phase. `lines`: plain lines for pipes and logs. `silent`: nothing, for `--json`. */
export type Display = 'terminal' | 'lines' | 'silent';

export function phases(display: Display): Phases {
  const done: { name: string; seconds: number }[] = [];
  return {
    done,
    async run<T>(name: string, work: (say: Say) => Promise<T>): Promise<T> {
      const begun = performance.now();
      const seconds = () => Math.round((performance.now() - begun) / 100) / 10;
      const finish = () => done.push({ name, seconds: seconds() });
      if (display === 'terminal') {
        const result = await onTerminal(name, work, seconds);
        finish();
        return result;
      }
      const say: Say = display === 'silent' ? () => {} : (text) => console.log(`    ${text}`);
      if (display === 'lines') console.log(`  ${name}`);
      const result = await work(say);
      if (display === 'lines') console.log(`    done in ${seconds()} s`);
      finish();
      return result;
    },
  };
}

/** One listr2 task: a spinner with the newest line below it, then a tick with the time it took. */
async function onTerminal<T>(name: string, work: (say: Say) => Promise<T>, seconds: () => number): Promise<T> {
  const outcome = Promise.withResolvers<T>();
  const list = new Listr(
    [
      {
        title: name,
        task: async (_, task) => {
          outcome.resolve(
            await work((text) => {
              task.output = text;
            }),
          );
          task.title = `${name} (${seconds()} s)`;
        },
      },
    ],
    { registerSignalListeners: false },
  );
  await list.run(); // throws what the phase threw
  return outcome.promise;
}
