import { NotFound } from '../common/errors.ts';
import type { SqlServer, SqlServers } from '../verify/ports.ts';

/** What to answer with; either may be left out where a test does not open that kind of server. */
export interface SqlServerSource {
  live?(...request: Parameters<SqlServers['live']>): SqlServer | undefined;
  restored?(...request: Parameters<SqlServers['restored']>): SqlServer | undefined;
}

/** Servers that somebody else runs: the tests' or the lab's PostgreSQL. */
export function sqlServersFrom(source: SqlServerSource = {}): SqlServers {
  return {
    async live(databaseId, region) {
      const server = source.live?.(databaseId, region);
      if (!server) throw new NotFound(`there is no live server of ${databaseId} in ${region}`);
      return server;
    },
    async restored(ref) {
      const server = source.restored?.(ref);
      if (!server) throw new NotFound(`there is no restored server ${ref.restoredId} in ${ref.region}`);
      return server;
    },
  };
}
