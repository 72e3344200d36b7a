import { SqlFailed } from '../../functions/common/sql-failed.ts';
import type { MemoryServer } from '../../functions/memory/fences.ts';
import type { SqlServer, SqlSession } from '../../functions/verify/ports.ts';

/** A modelled server as a step sees it that writes canaries: a write is accepted while its lease runs, and refused as PostgreSQL refuses it. */
export function canaryServer(server: MemoryServer, databaseNames: readonly string[]): SqlServer {
  const session: SqlSession = {
    async query(text) {
      if (text.includes('from pg_database')) return databaseNames.map((datname) => ({ datname }));
      if (text.includes('to_regclass')) return [{ installed: 't' }];
      if (!text.includes('insert into codeblue.canary')) throw new TypeError(`a canary server does not know: ${text}`);
      if (!server.write()) throw new SqlFailed('25006', 'this database is fenced');
      const { canary } = server.facts().position;
      return [{ seq: String(canary?.seq), written: String(Date.parse(canary?.writtenAt ?? '') / 1000) }];
    },
    async close() {},
  };
  return { connect: async () => session };
}
