import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DumpLoaded, loadDump } from '../../lab/dump/load-dump.ts';
import { startEmptyServer } from './support/labs.ts';

let server: Awaited<ReturnType<typeof startEmptyServer>>;
let dir: string;
let count = 0;

beforeAll(async () => {
  server = await startEmptyServer();
  dir = mkdtempSync(join(tmpdir(), 'codeblue-test-'));
});
afterAll(() => {
  server.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function connect(database: string): Promise<pg.Client> {
  const client = new pg.Client({ ...server.admin, database });
  await client.connect();
  return client;
}

async function query(database: string, text: string): Promise<readonly unknown[][]> {
  const client = await connect(database);
  try {
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

/** Loads into a database of its own. */
async function load(path: string, onProgress?: (fraction: number) => void): Promise<DumpLoaded & { readonly database: string }> {
  const database = `into_${++count}`;
  await query('postgres', `CREATE DATABASE ${database}`);
  return { database, ...(await loadDump({ connect, databaseName: database, protectedRoles: ['postgres'] }, path, onProgress)) };
}

function file(text: string | Uint8Array): string {
  const path = join(dir, `${++count}.sql`);
  writeFileSync(path, text);
  return path;
}

const refusal = async (text: string | Uint8Array): Promise<unknown> => load(file(text)).catch((error: unknown) => error);
const fixture = (name: string): string => new URL(`./fixtures/${name}`, import.meta.url).pathname;

/** What the fixtures' database held when it was dumped: see fixtures/README.md. */
async function expectClinic(database: string): Promise<void> {
  const visits = await query(database, `SELECT "semi;colon", mood, code, tags::text, raw, len FROM "Case Room"."Visits" ORDER BY id`);
  expect(visits).toEqual([
    ['back\\slash \t tab \n newline', 'so-so; fine', 'AB;', '{a;b,"c\\"d",NULL}', Buffer.from('00ff5c2e', 'hex'), 26],
    ['\\.', null, 'CD', '{}', null, 2],
    ['\n\\.\n', `it's "great"`, null, null, Buffer.alloc(0), 4],
    ['Zoë $tag$ 測試 $$; --', null, 'EF', '{"{}"}', Buffer.from('deadbeef', 'hex'), 19],
  ]);
  expect(await query(database, `SELECT count(*)::int, sum((what->>'n')::int)::int FROM audit_log`)).toEqual([[40, 820]]);
  expect(await query(database, `SELECT plain(1, 'x'), standard_body(1), standard_body(0), (SELECT n::int FROM counts)`)).toEqual([
    ['x1 ; ', 'end; it', 'begin', 40],
  ]);
  expect(await query(database, `SELECT nextval('tickets')::int, convert_from(lo_get(4711), 'UTF8')`)).toEqual([[105, 'large; object']]);
  expect(await query(database, `SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'audit_log'::regclass`)).toEqual([
    ['records_owner'],
  ]);
}

describe('dumps as pg_dump writes them', () => {
  test('of 15, data as COPY, roles missing here', async () => {
    const fractions: number[] = [];
    const { database, databaseNames, notes } = await load(fixture('pg15.sql'), (fraction) => fractions.push(fraction));
    await expectClinic(database);
    expect(databaseNames).toEqual([database]);
    expect(notes).toContain('role records_owner was missing; it was made, without login');
    expect(fractions.at(-1)).toBe(1);
  });

  test.each(['pg15-create-inserts.sql', 'pg15-all.sql', 'pg18-create.sql'])(
    'that make their database and connect to it: %s',
    async (name) => {
      await query('postgres', 'DROP DATABASE IF EXISTS clinic');
      const { databaseNames } = await load(fixture(name));
      expect(databaseNames).toContain('clinic');
      await expectClinic('clinic');
    },
  );

  test.each([
    ['13', 'SET xmloption = content;\nSET default_table_access_method = heap;\n'],
    ['16', `SET xmloption = content;\nSELECT pg_catalog.set_config('search_path', '', false);\n`],
    ['17', 'SET transaction_timeout = 0;\n\\restrict abc\n'],
    ['18', `SET transaction_timeout = 0;\n\\restrict abc\nSET xmloption = content;\n`],
  ])('headers of pg_dump %s', async (_, header) => {
    const text = `--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n${header}CREATE TABLE public.t (a int);\nCOPY public.t (a) FROM stdin;\n1\n2\n\\.\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n`;
    const { database } = await load(file(text));
    expect(await query(database, 'SELECT sum(a)::int FROM t')).toEqual([[3]]);
  });

  test('with the line ends of Windows, and without a line feed at the end', async () => {
    const { database } = await load(
      file('CREATE TABLE t (a text);\r\nCOPY t (a) FROM stdin;\r\none\r\ntwo\r\n\\.\r\nCREATE TABLE u (a int);COPY u FROM stdin;\n\\.'),
    );
    expect(await query(database, 'SELECT count(*)::int FROM t')).toEqual([[2]]);
  });

  test('more data than one block, in little memory', async () => {
    const rows = Array.from({ length: 300_000 }, (_, i) => `${i}\tsome text that fills the line up\n`).join('');
    const { database } = await load(file(`CREATE TABLE t (a int, b text);\nCOPY t (a, b) FROM stdin;\n${rows}\\.\nSELECT 1;\n`));
    expect(await query(database, 'SELECT count(*)::int, sum(a)::bigint FROM t')).toEqual([[300_000, '44999850000']]);
  });
});

describe('what is no plain SQL is refused, with what it is', () => {
  test.each([
    ['custom format', Buffer.from('PGDMP\x01\x0e\x00'), /custom format/],
    ['gzip', gzipSync('SELECT 1;'), /gzip/],
    ['UTF-16', Buffer.from('\ufeffSELECT 1;', 'utf16le'), /UTF-16/],
    ['binary', Buffer.from([1, 2, 0, 3]), /binary/],
    ['an empty file', '', /is empty/],
    ['only comments', '-- nothing\n', /no statement/],
    ['other text', 'name,age\nsome,1\n', /line 1: the file ends in the middle/],
    ['other text with semicolons', 'Dear all;\nhere it is;\n', /line 1: Dear all: syntax error/],
    ['latin1', Buffer.from(`SELECT 1;\nSELECT 'caf\xe9';\n`, 'latin1'), /line 2 is not UTF-8/],
    ['another encoding', "SET client_encoding = 'WIN1252';\n", /line 1: the dump is in encoding WIN1252/],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatchObject({
      name: 'DumpRefused',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/./),
    });
  });

  test('a file that is not there, and a directory', async () => {
    await expect(load(join(dir, 'absent.sql'))).rejects.toMatchObject({
      name: 'DumpRefused',
      message: expect.stringMatching(/there is no file/),
    });
    await expect(load(dir)).rejects.toMatchObject({ name: 'DumpRefused', message: expect.stringMatching(/is a directory/) });
  });

  test('commands that run programs', async () => {
    expect(await refusal('SELECT 1;\n\\! ls\n')).toMatchObject({ message: 'line 2: the command \\! of psql is not run' });
  });
});

describe('what fails half-way is refused with the line and the reason', () => {
  test('a statement', async () => {
    expect(await refusal('SELECT 1;\n\nALTER TABLE absent\n  ADD PRIMARY KEY (a);\n')).toMatchObject({
      message: 'line 3: ALTER TABLE absent ADD PRIMARY KEY: relation "absent" does not exist',
    });
  });

  test('a row of COPY, without its values', async () => {
    const error = await refusal('CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1\nSecret Name\n3\n\\.\n');
    expect(error).toMatchObject({ message: 'line 4: COPY t: a value broke the type or rule of column a (SQLSTATE 22P02)' });
  });

  test('a row of INSERT, without its values', async () => {
    const error = await refusal(`CREATE TABLE t (a int CONSTRAINT few CHECK (a < 5));\nINSERT INTO t VALUES (77);\n`);
    expect(error).toMatchObject({ message: 'line 2: INSERT INTO t: a value broke constraint few of table t (SQLSTATE 23514)' });
  });

  test('an extension that the lab lacks', async () => {
    expect(await refusal('CREATE EXTENSION postgis;\n')).toMatchObject({
      message: expect.stringMatching(/^line 1: CREATE EXTENSION postgis: .*not available/),
      hint: expect.stringMatching(/extensions of its own distribution/),
    });
  });

  test.each([
    [
      'in a statement',
      (text: string) => text.slice(0, text.indexOf('CREATE FUNCTION') + 60),
      /the file ends in the middle of the statement/,
    ],
    ['in the rows', (text: string) => text.slice(0, text.indexOf('\\xdeadbeef')), /the file ends in the middle of the rows/],
    [
      'between two statements',
      (text: string) => text.slice(0, text.indexOf('\n\n', text.indexOf('CREATE FUNCTION')) + 1),
      /ends without the line "PostgreSQL database dump complete"/,
    ],
  ])('a file cut %s', async (_, cut, message) => {
    expect(await refusal(cut(readFileSync(fixture('pg15.sql'), 'utf8')))).toMatchObject({ message: expect.stringMatching(message) });
  });
});
