import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { DumpRefused } from '../errors.ts';
import { quoteIdent } from '../roles.ts';
import { checkEncoding, readCommand } from './commands.ts';
import { refusedStatement } from './failure.ts';
import { LineReader } from './line-reader.ts';
import { recognizeDump } from './recognize.ts';
import { type Piece, SqlLexer } from './sql-lexer.ts';

export interface DumpTarget {
  /** Opens a session of the superuser. */
  readonly connect: (databaseName: string) => Promise<pg.Client>;
  /** Where statements go before the dump connects elsewhere. It exists. */
  readonly databaseName: string;
  /** Roles of the target itself, which the dump may not change. */
  readonly protectedRoles: readonly string[];
}

export interface DumpLoaded {
  /** Databases that now hold something of the dump. */
  readonly databaseNames: readonly string[];
  readonly statements: number;
  /** What was done differently than the dump says, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Runs a plain SQL dump of pg_dump or pg_dumpall 13 to 18, as psql would, and stops at the first error. Streams: memory stays small
 * at any size.
 *
 * @param onProgress  fraction of the file that has been read
 * @throws DumpRefused naming the line
 */
export async function loadDump(target: DumpTarget, path: string, onProgress: (fraction: number) => void = () => {}): Promise<DumpLoaded> {
  const sizeBytes = await recognizeDump(path);
  const reader = new LineReader(path);
  const loader = new Loader(target, reader);
  try {
    await loader.open(target.databaseName);
    await run(reader, loader, () => onProgress(reader.bytesRead / sizeBytes));
    return loader.result();
  } finally {
    await reader.close();
    await loader.close();
  }
}

/** Lines between two reports of progress. */
const REPORT_LINES = 1000;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

async function run(reader: LineReader, loader: Loader, report: () => void): Promise<void> {
  const lexer = new SqlLexer();
  let begunByPgDump = false;
  let complete = false;
  let lastStatement = 0;
  for (let bytes = await reader.next(); bytes !== undefined; bytes = await reader.next()) {
    const line = decode(bytes, reader.line);
    if (lexer.openSince === undefined) {
      begunByPgDump ||= /^-- PostgreSQL database (cluster )?dump\s*$/.test(line);
      complete ||= /^-- PostgreSQL database (cluster )?dump complete\s*$/.test(line);
    }
    for (const piece of lexer.feed(line, reader.line)) {
      await loader.run(piece);
      lastStatement = piece.line;
    }
    if (reader.line % REPORT_LINES === 0) report();
  }
  const open = lexer.openSince;
  const cut = 'The file is cut: make the dump again, and check that pg_dump ended without an error.';
  if (open !== undefined)
    throw new DumpRefused(`line ${open}: the file ends in the middle of the statement that begins here`, { hint: cut });
  if (begunByPgDump && !complete)
    throw new DumpRefused(`line ${reader.line}: the file ends without the line "PostgreSQL database dump complete"`, { hint: cut });
  if (lastStatement === 0)
    throw new DumpRefused('the file holds no statement', { hint: 'Make a plain dump: pg_dump --format=plain --file=file.sql <database>' });
  report();
}

function decode(bytes: Buffer, line: number): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new DumpRefused(`line ${line} is not UTF-8`, { hint: 'Make a dump in UTF-8: pg_dump --encoding=UTF8', cause });
  }
}

class Loader {
  readonly #target: DumpTarget;
  readonly #reader: LineReader;
  readonly #databaseNames = new Set<string>();
  readonly #notes = new Set<string>();
  #client: pg.Client | undefined;
  #current = '';
  #statements = 0;

  constructor(target: DumpTarget, reader: LineReader) {
    this.#target = target;
    this.#reader = reader;
  }

  async open(databaseName: string): Promise<void> {
    await this.#client?.end();
    this.#client = await this.#target.connect(databaseName);
    this.#client.on('error', () => {});
    this.#current = databaseName;
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => {});
  }

  result(): DumpLoaded {
    return { databaseNames: [...this.#databaseNames], statements: this.#statements, notes: [...this.#notes] };
  }

  async run({ kind, text, line }: Piece): Promise<void> {
    if (kind === 'command') {
      const command = readCommand(text, line);
      if (command.does === 'connect') await this.#connect(command.databaseName, line);
      return;
    }
    const encoding = /^SET\s+client_encoding\s*(?:=|TO)\s*'([^']+)'$/i.exec(text)?.[1];
    if (encoding !== undefined) return checkEncoding(encoding, line);
    if (/^COPY\b[\s\S]*\bFROM\s+stdin\b/i.test(text)) await this.#copy(text, line);
    else await this.#statement(text, line);
    this.#statements++;
    // Roles, settings and databases belong to the whole server.
    if (!/^(SET|RESET|CREATE\s+DATABASE|ALTER\s+DATABASE|(CREATE|ALTER|GRANT|DROP)\s+ROLE|SELECT\s+pg_catalog\.set_config)\b/i.test(text)) {
      this.#databaseNames.add(this.#current);
    }
  }

  async #connect(databaseName: string, line: number): Promise<void> {
    try {
      await this.open(databaseName);
    } catch (error) {
      throw refusedStatement(error, '\\connect', line);
    }
  }

  async #statement(text: string, line: number): Promise<void> {
    const statement = this.#adapted(text);
    if (statement === undefined) return;
    // A statement can name several roles that are missing; each round makes one.
    for (;;) {
      try {
        await this.#session().query(statement);
        return;
      } catch (error) {
        // Roles are the whole server's: one that is here already stays.
        if (codeOf(error) === '42710' && /^CREATE\s+ROLE\b/i.test(statement)) return;
        if (!(await this.#madeMissingRole(error))) throw refusedStatement(error, text, line);
      }
    }
  }

  /** What to run in its place; undefined to leave it out. */
  #adapted(text: string): string | undefined {
    const database = /^CREATE\s+DATABASE\s+("(?:[^"]|"")+"|\S+)/i.exec(text)?.[1];
    if (database !== undefined) {
      this.#notes.add(`database ${database} was made with the lab's own locale (C.UTF-8)`);
      return `CREATE DATABASE ${database} TEMPLATE template0`;
    }
    if (/^DROP\s+(DATABASE|ROLE)\b/i.test(text)) {
      this.#notes.add('statements that drop databases or roles were left out');
      return undefined;
    }
    const role = /^(?:CREATE|ALTER)\s+ROLE\s+("(?:[^"]|"")+"|[^\s;]+)/i.exec(text)?.[1]?.replace(/^"(.*)"$/, '$1');
    if (role !== undefined && this.#target.protectedRoles.includes(role)) {
      this.#notes.add(`role ${role} stayed as the lab made it`);
      return undefined;
    }
    return text;
  }

  /** True when the error was about a role that the dump expects to find, and that is here now. */
  async #madeMissingRole(error: unknown): Promise<boolean> {
    const missing =
      codeOf(error) === '42704' && error instanceof Error ? /^role "(.*)" does not exist$/.exec(error.message)?.[1] : undefined;
    if (missing === undefined) return false;
    await this.#session().query(`CREATE ROLE ${quoteIdent(missing)} NOLOGIN`);
    this.#notes.add(`role ${missing} was missing; it was made, without login`);
    return true;
  }

  async #copy(text: string, line: number): Promise<void> {
    const dataLine = this.#reader.line;
    let complete = false;
    const rows = this.#reader.untilEndOfData();
    const block = async function* (): AsyncGenerator<Buffer> {
      complete = yield* rows;
      // An error here cancels the COPY: rows of a block that was cut must not be kept.
      if (!complete)
        throw new DumpRefused(`line ${line}: the file ends in the middle of the rows that begin here`, {
          hint: 'The file is cut: make the dump again.',
        });
    };
    try {
      await pipeline(block, this.#session().query(copyFrom(text)));
    } catch (error) {
      throw error instanceof DumpRefused ? error : refusedStatement(error, text, line, dataLine);
    }
  }

  #session(): pg.Client {
    if (!this.#client) throw new DumpRefused('no session is open');
    return this.#client;
  }
}

const codeOf = (error: unknown): string | undefined => (error instanceof pg.DatabaseError ? error.code : undefined);
