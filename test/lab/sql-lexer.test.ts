import { describe, expect, test } from 'vitest';
import { type Piece, SqlLexer } from '../../lab/dump/sql-lexer.ts';

function cut(text: string): readonly Piece[] {
  const lexer = new SqlLexer();
  const pieces = text.split(/(?<=\n)/).flatMap((line, index) => [...lexer.feed(line, index + 1)]);
  expect(lexer.openSince).toBeUndefined();
  return pieces;
}
const texts = (text: string): readonly string[] => cut(text).map((piece) => piece.text);

describe('a dump is cut into statements where psql would cut it', () => {
  test('at semicolons, with the line that each statement begins on', () => {
    expect(cut('\n-- a; comment\nSELECT 1;\n\nSELECT\n  2; SELECT 3;\n')).toEqual([
      { kind: 'statement', text: 'SELECT 1', line: 3 },
      { kind: 'statement', text: 'SELECT\n  2', line: 5 },
      { kind: 'statement', text: 'SELECT 3', line: 6 },
    ]);
  });

  test.each([
    ['a string', `SELECT 'a;''b;\n-- ;c'`],
    ['a string that ends with a backslash', `SELECT 'a\\'`],
    ['an E string with escaped quotes', `SELECT E'a\\';b\\\\'`],
    ['an E string over several lines', `SELECT E'a\\'\n;b'`],
    ['a quoted identifier', `SELECT 1 AS "a;""b;"`],
    ['a dollar quote', 'DO $$ BEGIN; END; $$'],
    ['a tagged dollar quote with another inside', 'CREATE FUNCTION f() AS $_$ SELECT $$;$$; $_$ LANGUAGE sql'],
    ['a rule with several actions', 'CREATE RULE r AS ON DELETE TO t DO ALSO (SELECT 1; SELECT 2)'],
    [
      'a standard function body',
      'CREATE OR REPLACE FUNCTION f(i int) RETURNS int\nBEGIN ATOMIC\n SELECT 1;\n SELECT CASE WHEN i > 0 THEN 1 END;\nEND',
    ],
    ['a procedure body', 'CREATE PROCEDURE p() BEGIN ATOMIC DELETE FROM t; END'],
  ])('not inside %s', (_, statement) => {
    expect(texts(`${statement};\nSELECT 1;\n`)).toEqual([statement, 'SELECT 1']);
  });

  test('a dollar inside a name, and one of a parameter, open no quote', () => {
    expect(texts('SELECT a$b$c, $1;SELECT 2;')).toEqual(['SELECT a$b$c, $1', 'SELECT 2']);
  });

  test('comments may be nested, and say nothing', () => {
    expect(texts('/* a; /* b; */ c; */ SELECT /* ; */ 1; -- d;\n/* e */;\n')).toEqual(['SELECT   1']);
  });

  test('a backslash at the start of a statement is a command of psql, elsewhere it is not', () => {
    expect(cut(`\\connect other\nSELECT '\\\nconnect' ;\n`)).toEqual([
      { kind: 'command', text: '\\connect other', line: 1 },
      { kind: 'statement', text: `SELECT '\\\nconnect'`, line: 2 },
    ]);
  });

  test('a transaction that begins is no function body', () => {
    expect(texts('BEGIN; SELECT 1; COMMIT;')).toEqual(['BEGIN', 'SELECT 1', 'COMMIT']);
  });

  test('what has begun and not ended is known by its line', () => {
    const lexer = new SqlLexer();
    lexer.feed('SELECT 1;\n', 1);
    expect(lexer.openSince).toBeUndefined();
    lexer.feed("SELECT 'a\n", 2);
    lexer.feed('b\n', 3);
    expect(lexer.openSince).toBe(2);
  });
});
