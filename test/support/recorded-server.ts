import type { SqlRow, SqlServer } from '../../functions/verify/ports.ts';

type Answer = { readonly rows: readonly SqlRow[] } | { readonly error: unknown };

/**
 * Answers each statement as `server` answered it the first time, so that a property can run a task that reads a whole database
 * many thousand times. Only for databases that nobody changes meanwhile: what two transactions would tell apart is one answer here.
 * Once `seal` was called a new statement fails, because the session that it needs was never opened.
 */
export function recordedServer(server: SqlServer): SqlServer & { seal(): void } {
  const answers = new Map<string, Promise<Answer>>();
  let sealed = false;
  return {
    seal() {
      sealed = true;
    },
    async connect(databaseName) {
      const session = sealed ? undefined : await server.connect(databaseName);
      return {
        async query(text, values = []) {
          // The time limit of a statement depends on the clock of the run; what the statement answers does not.
          const key = JSON.stringify([databaseName, text.replace(/statement_timeout = \d+/, 'statement_timeout'), values]);
          if (!answers.has(key) && sealed) throw new TypeError(`nobody asked this before: ${text}`);
          const asked = session?.query(text, values).then(
            (rows): Answer => ({ rows }),
            (error: unknown): Answer => ({ error }),
          );
          // The session is asked all the same, so that it goes through the same states; its first answer is the one.
          if (asked && !answers.has(key)) answers.set(key, asked);
          await asked;
          const answer = await answers.get(key);
          if (answer === undefined) throw new TypeError('unreachable: asked or answered before');
          if ('error' in answer) throw answer.error;
          return answer.rows;
        },
        async close() {
          await session?.close();
        },
      };
    },
  };
}
