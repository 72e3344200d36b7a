import { DumpRefused } from '../errors.ts';

/** What a command of psql asks for. */
export type Command = { readonly does: 'nothing' } | { readonly does: 'connect'; readonly databaseName: string };

/**
 * Commands that pg_dump and pg_dumpall write. `\restrict` and `\unrestrict` fence the dump off since the releases of August 2025.
 * @throws DumpRefused for any other: a dump must not run programs or read files
 */
export function readCommand(text: string, line: number): Command {
  const [, name = '', rest = ''] = /^\\([A-Za-z!?;.]+)\s*(.*)$/.exec(text) ?? [];
  switch (name) {
    case 'restrict':
    case 'unrestrict':
      return { does: 'nothing' };
    case 'c':
    case 'connect':
      return { does: 'connect', databaseName: databaseNameIn(rest, line) };
    case 'encoding':
      checkEncoding(rest.replace(/^'(.*)'$/, '$1'), line);
      return { does: 'nothing' };
    default:
      throw new DumpRefused(`line ${line}: the command \\${name} of psql is not run`, {
        hint: 'The lab runs SQL, \\connect and \\encoding. Take other commands out of the file.',
      });
  }
}

/** `name`, `"na me"`, or `-reuse-previous=on "dbname='name'"`. */
function databaseNameIn(rest: string, line: number): string {
  const last = rest.trim().replace(/^-reuse-previous=\S+\s+/, '');
  const [, quoted, bare] = /^(?:"((?:[^"]|"")*)"|(\S+))/.exec(last) ?? [];
  const text = quoted?.replaceAll('""', '"') ?? bare ?? '';
  const name = /^dbname='((?:[^'\\]|\\.)*)'/.exec(text)?.[1]?.replace(/\\(.)/g, '$1') ?? text;
  if (name === '' || name === '-') throw new DumpRefused(`line ${line}: \\connect names no database`);
  return name;
}

/** @throws DumpRefused for an encoding other than UTF-8 */
export function checkEncoding(encoding: string, line: number): void {
  if (/^(utf-?8|unicode|sql_ascii)$/i.test(encoding)) return;
  throw new DumpRefused(`line ${line}: the dump is in encoding ${encoding}`, { hint: 'Make one in UTF-8: pg_dump --encoding=UTF8' });
}
