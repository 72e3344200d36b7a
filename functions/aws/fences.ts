import { databaseOf } from '../common/operations-lookup.ts';
import { fenceOver } from '../failover/fence/fence-over.ts';
import type { Fences } from '../failover/ports.ts';
import type { AwsSettings } from './settings.ts';
import { sqlServersPort } from './sql-servers.ts';

/** The fence's own statements give up after 15 s; a server that says nothing for longer than this is not there any more. */
const querySeconds = 20;

/** The lease inside the live databases, over PostgreSQL itself. Connecting may take no longer than a probe. */
export function fencesPort(settings: AwsSettings): Fences {
  const { operations } = settings;
  const servers = sqlServersPort(settings, { connectSeconds: operations.failover.observe.timeout, querySeconds });
  return {
    async open(databaseId, region) {
      const server = await servers.live(databaseId, region);
      return fenceOver(server, databaseOf(operations, databaseId).databaseNames);
    },
    async openCopy(copy) {
      return fenceOver(await servers.fitCopy(copy), databaseOf(operations, copy.databaseId).databaseNames);
    },
  };
}
