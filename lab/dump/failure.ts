import pg from 'pg';
import { messageOf } from '../../functions/common/errors.ts';
import { DumpRefused } from '../errors.ts';

/** The first words of a statement, without anything that could be a value. */
function firstWords(statement: string): string {
  const words =
    /^[A-Za-z_]+(?:\s+(?:[A-Za-z_][\w$]*|"[^"]*")(?:\.(?:[A-Za-z_][\w$]*|"[^"]*"))*){0,5}/.exec(statement)?.[0] ?? statement.slice(0, 12);
  return words.replace(/\s+(?:VALUES|SET|AS|FROM)$/i, '').replace(/\s+/g, ' ');
}

/**
 * A statement that PostgreSQL refused, with its line. Errors about values (classes 22 and 23) are told without the value: a dump may
 * hold patient data.
 * @param dataLine  number of the line before the first data line, for COPY
 */
export function refusedStatement(error: unknown, statement: string, line: number, dataLine?: number): DumpRefused {
  if (!(error instanceof pg.DatabaseError)) {
    return new DumpRefused(`line ${line}: ${firstWords(statement)}: ${messageOf(error)}`, { cause: error });
  }
  const inData = dataLine === undefined ? undefined : /\bline (\d+)/.exec(error.where ?? '')?.[1];
  const at = inData === undefined || dataLine === undefined ? line : dataLine + Number(inData);
  const reason = /^(22|23|P0)/.test(error.code ?? '') ? ruleBroken(error) : error.message;
  return new DumpRefused(`line ${at}: ${firstWords(statement)}: ${reason}`, { hint: hintFor(error) });
}

function ruleBroken({ code, constraint, column, table, where }: pg.DatabaseError): string {
  const place = column ?? /column (\S+?):/.exec(where ?? '')?.[1];
  const what =
    constraint === undefined
      ? place === undefined
        ? 'a rule of the database'
        : `the type or rule of column ${place}`
      : `constraint ${constraint}`;
  return `a value broke ${what}${table === undefined ? '' : ` of table ${table}`} (SQLSTATE ${code})`;
}

function hintFor({ code, message }: pg.DatabaseError): string {
  if (/extension ".*" is not available|extension control file/.test(message)) {
    return "The lab's PostgreSQL has the extensions of its own distribution only. Dump without this one: pg_dump --exclude-extension, or leave out its schema.";
  }
  if (code === '42704' && /collation|locale/.test(message)) return 'The lab knows the collations of PostgreSQL itself only.';
  if (code === '42601') return 'The lab loads plain SQL as pg_dump 13 to 18 writes it.';
  return 'Nothing is kept of a dump that fails half-way. Load it with psql into an empty PostgreSQL 18 to see the same error.';
}
