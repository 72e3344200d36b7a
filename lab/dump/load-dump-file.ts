import pg from 'pg';
import { quoteIdent } from '../roles.ts';
import type { LoadData } from '../start.ts';
import { loadDump } from './load-dump.ts';

/** Where the statements of a dump go that does not make a database itself. */
const DUMP_DATABASE = 'dump';

/** Fills the primary with the user's own data. @throws DumpRefused naming the line */
export function loadDumpFile(path: string, onNote: (note: string) => void = () => {}): LoadData {
  return async ({ admin, owner, report }) => {
    const connect = async (database: string): Promise<pg.Client> => {
      const client = new pg.Client({ ...admin, database });
      client.on('error', () => {});
      await client.connect();
      return client;
    };
    const within = async (database: string, statement: string): Promise<void> => {
      const client = await connect(database);
      try {
        await client.query(statement);
      } finally {
        await client.end();
      }
    };
    const says = 'loading the dump';
    report({ says, fraction: 0 });
    await within('postgres', `CREATE DATABASE ${quoteIdent(DUMP_DATABASE)} OWNER ${quoteIdent(owner)}`);
    const target = { connect, databaseName: DUMP_DATABASE, protectedRoles: [admin.user, owner, 'codeblue', 'replicator'] };
    const { databaseNames, notes } = await loadDump(target, path, (fraction) => report({ says, fraction }));
    for (const note of notes) onNote(note);
    for (const name of databaseNames) await within(name, 'VACUUM (FREEZE, ANALYZE)');
    if (databaseNames.includes(DUMP_DATABASE)) return databaseNames;
    await within('postgres', `DROP DATABASE ${quoteIdent(DUMP_DATABASE)}`);
    return databaseNames;
  };
}
