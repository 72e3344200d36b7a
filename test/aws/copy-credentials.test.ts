import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { letConfigIn } from '../../functions/aws/copy-credentials.ts';
import type { Connect } from '../../functions/aws/replica-kind.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import { SqlFailed } from '../../functions/common/sql-failed.ts';
import { testOperations } from '../support/operations.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const rds = mockClient(RDSClient);
const secrets = mockClient(SecretsManagerClient);
const { databases, regions } = testOperations();
const masterSecret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!db-2';
let postgres: TestPostgres;

/** Statements as the server could log them. */
const statements: string[] = [];

/** Where the copy is said to be, by the same name and password. */
const connect: Connect = ({ user, password }) => ({
  async connect(name) {
    const session = await pgServer({ host: '127.0.0.1', port: postgres.port, user, password }).connect(name);
    return {
      ...session,
      query(text, values) {
        statements.push(text);
        return session.query(text, values);
      },
    };
  },
});

function letIn() {
  const [database] = databases;
  const site = database?.sites[regions.primary];
  if (!database || !site) throw new Error('the test deployment has a database in its primary Region');
  const copy = { MasterUsername: 'postgres', MasterUserSecret: { SecretArn: masterSecret }, Endpoint: { Address: 'copy.rds', Port: 5432 } };
  return letConfigIn({ copy, database, site, region: regions.primary }, connect);
}

const login = (password: string) => pgServer({ host: '127.0.0.1', port: postgres.port, user: 'codeblue', password }).connect('postgres');

/** Roles but the master must know their passwords. */
beforeAll(async () => {
  postgres = await startPostgres();
  const rules = ['host all postgres 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 scram-sha-256', ''].join('\n');
  await writeFile(join(postgres.dataDirectory, 'pg_hba.conf'), rules);
  await postgres.sql('postgres', 'select pg_reload_conf()');
  secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"username":"codeblue","password":"of-today’s"}' });
  secrets.on(GetSecretValueCommand, { SecretId: masterSecret }).resolves({ SecretString: '{"username":"postgres","password":"made"}' });
});
afterAll(() => postgres.stop());

it('a role that was made after the chosen moment cannot be let in', async () => {
  await expect(letIn()).rejects.toThrow(/no role codeblue/);
});

it('a password of the chosen moment becomes that of today, which PostgreSQL takes and cannot log', async () => {
  await postgres.sql('postgres', "create role codeblue login password 'of-yesterday'");
  expect(await letIn()).toBe('the password of codeblue was set');
  expect(await letIn()).toBeUndefined();
  await (await login('of-today’s')).close();
  await expect(login('of-yesterday')).rejects.toThrow(SqlFailed);
  expect(statements.at(-1)).toMatch(/^alter role codeblue password 'SCRAM-SHA-256\$/);
  expect(statements.join()).not.toContain('of-today');
  expect(rds.calls()).toEqual([]);
});
