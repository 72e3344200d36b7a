import { readFileSync } from 'node:fs';
import { LabUnavailable } from '../errors.ts';

/** Whom PostgreSQL runs as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root lends it an account that is there already: `postgres`, else `nobody`. Both
 * initdb and the server look their user up by number, so an id without a passwd entry would not do.
 *
 * @returns undefined when this process is an ordinary user, who runs PostgreSQL as themselves
 * @throws LabUnavailable when root finds neither account
 */
export function serverUser(passwdFile = '/etc/passwd', uid = process.getuid?.()): ServerUser | undefined {
  if (uid !== 0) return undefined;
  const accounts = new Map(
    readFileSync(passwdFile, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , id, group]) => [name, { uid: Number(id), gid: Number(group) }]),
  );
  const found = accounts.get('postgres') ?? accounts.get('nobody');
  if (found && found.uid > 0) return found;
  throw new LabUnavailable('PostgreSQL refuses to run as root, and this machine has neither a "postgres" nor a "nobody" account', {
    hint: 'Run the lab as an ordinary user.',
  });
}
