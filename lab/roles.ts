import { randomBytes } from 'node:crypto';
import { type PgAddress, pgServer } from '../functions/common/pg-server.ts';
import type { LabState } from './state.ts';

/** A password that nobody chose. */
export const newPassword = (): string => randomBytes(24).toString('base64url');

/** An SQL identifier, quoted. */
export const quoteIdent = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export function newAccounts(): LabState['accounts'] {
  return {
    admin: { user: 'postgres', password: newPassword() },
    codeblue: { user: 'codeblue', password: newPassword() },
    application: { user: 'hospital_app', password: newPassword() },
    replication: { user: 'replicator', password: newPassword() },
  };
}

/** The roles that a deployment has on RDS too: the application, Codeblue with read access to all data, replication. */
export async function createRoles(admin: PgAddress, { codeblue, application, replication }: LabState['accounts']): Promise<void> {
  const session = await pgServer(admin).connect('postgres');
  const role = (account: LabState['accounts']['admin'], attributes: string): string =>
    // Passwords are base64url: nothing in them needs quoting.
    `CREATE ROLE ${quoteIdent(account.user)} LOGIN ${attributes} PASSWORD '${account.password}'`;
  try {
    await session.query(role(application, ''));
    await session.query(role(replication, 'REPLICATION'));
    // BYPASSRLS: rows hidden by row security are data to be backed up and compared like all others.
    await session.query(role(codeblue, 'BYPASSRLS'));
    await session.query(`GRANT pg_read_all_data, pg_read_all_stats, pg_signal_backend TO ${quoteIdent(codeblue.user)}`);
    // The fence's triggers are the owner's to enable; nothing else is done in the owner's name.
    await session.query(`GRANT ${quoteIdent(application.user)} TO ${quoteIdent(codeblue.user)} WITH INHERIT FALSE, SET TRUE`);
  } finally {
    await session.close();
  }
}
