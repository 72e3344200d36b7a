import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { type DBInstance, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { InvalidInput } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import type { Database, DatabaseSite } from '../common/operations.ts';
import { pgServer } from '../common/pg-server.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import type { SqlServer } from '../verify/ports.ts';
import { rdsIn } from './rds-model.ts';
import type { Connect } from './replica-kind.ts';
import { type Credentials, readCredentials, verifiedTls } from './sql-servers.ts';

interface Copy {
  readonly copy: DBInstance;
  readonly database: Database;
  readonly site: DatabaseSite;
  readonly region: Region;
}

/**
 * Makes a restored copy answer to the credentials that the config names, and logs in with them to know that it does. Roles in it are those of the chosen
 * moment, with the passwords of that moment: where Codeblue's own was changed since, the copy's master sets it. Passwords of applications Codeblue neither
 * knows nor changes.
 *
 * @returns what is waited for; undefined once they open the copy
 * @throws InvalidInput when there was no such role at the chosen moment
 */
export async function letConfigIn({ copy, database, site, region }: Copy, connect: Connect = pgServer): Promise<string | undefined> {
  const { Address: host, Port: port } = copy.Endpoint ?? {};
  if (!host || !port) return 'it has no endpoint yet';
  const login = await readCredentials(site.secretArn);
  const [name = 'postgres'] = database.databaseNames ?? [];
  const at = (credentials: Credentials) => connect({ host, port, ...credentials, ssl: verifiedTls });
  if (await opens(at(login), name)) return undefined;
  if (login.user === copy.MasterUsername) {
    if (copy.PendingModifiedValues?.MasterUserPassword) return 'it takes on the password of its master';
    const password = { ManageMasterUserPassword: false, MasterUserPassword: login.password };
    const command = { DBInstanceIdentifier: copy.DBInstanceIdentifier, ...password, ApplyImmediately: true };
    await rdsIn(region).send(new ModifyDBInstanceCommand(command));
    return 'it takes on the password of its master';
  }
  const secretArn = copy.MasterUserSecret?.SecretArn;
  if (!secretArn) return 'its master has no secret yet';
  await setPassword(at(await readCredentials(secretArn)), name, login);
  return `the password of ${login.user} was set`;
}

async function opens(server: SqlServer, databaseName: string): Promise<boolean> {
  try {
    await (await server.connect(databaseName)).close();
    return true;
  } catch (error) {
    // Class 28: no such role, or another password.
    if (error instanceof SqlFailed && error.sqlState.startsWith('28')) return false;
    throw error;
  }
}

async function setPassword(server: SqlServer, databaseName: string, { user, password }: Credentials): Promise<void> {
  const session = await server.connect(databaseName);
  try {
    const [known] = await session.query('select quote_ident(rolname) as role from pg_roles where rolname = $1 and rolcanlogin', [user]);
    if (!known?.role) {
      throw new InvalidInput(`the restored copy has no role ${user}: it was made after the moment that the copy shows`, {
        hint: 'Choose a later moment, or make the role in the copy: docs/operations.md, "The role in the database".',
      });
    }
    await session.query(`alter role ${known.role} password '${scramVerifier(password)}'`);
  } finally {
    await session.close();
  }
}

/**
 * What PostgreSQL stores of a password (RFC 5803 with SCRAM-SHA-256, as `pg_authid.rolpassword`): the statement may be logged, and nobody reads the password
 * in the log then.
 */
function scramVerifier(password: string, salt: Uint8Array = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`;
}
