/** A statement without its semicolon, or a command of psql (a backslash and the rest of the line). */
export interface Piece {
  readonly kind: 'statement' | 'command';
  readonly text: string;
  /** Where it begins. */
  readonly line: number;
}

type Inside =
  | { readonly what: 'sql' }
  | { readonly what: 'string'; readonly escapes: boolean }
  | { readonly what: 'identifier' }
  | { readonly what: 'dollar'; readonly tag: string }
  | { readonly what: 'comment'; depth: number };

const SQL: Inside = { what: 'sql' };
const TOKEN = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w$]*|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|--|\/\*|['"();\\]/g;

/**
 * Cuts SQL into statements as psql does (see psqlscan.l): quotes of all kinds, dollar quotes, nested comments, semicolons inside parentheses
 * (rules) and inside `BEGIN ATOMIC … END` bodies of functions. It is fed line by line and keeps only the statement it is in.
 * `standard_conforming_strings` is on, as in every dump since PostgreSQL 9.1.
 */
export class SqlLexer {
  #inside: Inside = SQL;
  #text = '';
  #startLine = 0;
  #depth = 0;
  #words: string[] = [];
  #bodyDepth = 0;

  /** Line of the statement that has begun and not ended; undefined between statements. */
  get openSince(): number | undefined {
    return this.#text.trim() === '' && this.#inside.what === 'sql' ? undefined : this.#startLine;
  }

  /** Takes a line with its line feed; gives what ended on it. */
  feed(line: string, number: number): readonly Piece[] {
    const pieces: Piece[] = [];
    if (this.openSince === undefined) {
      this.#text = '';
      this.#startLine = number;
    }
    let at = 0;
    while (at < line.length) at = this.#inside.what === 'sql' ? this.#sql(line, at, number, pieces) : this.#quoted(line, at);
    return pieces;
  }

  /** Plain SQL from `at` up to a quote, a comment or the end of a statement. @returns where to go on */
  #sql(line: string, at: number, number: number, pieces: Piece[]): number {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(line);
    if (!match) return this.#keep(line, at, line.length);
    const [token] = match;
    const end = match.index + token.length;
    const first = this.#text.trim() === '' && line.slice(at, match.index).trim() === '';
    if (first) this.#startLine = number;
    switch (token) {
      case "'":
        return this.#open({ what: 'string', escapes: /(?:^|[^\w$])e$/i.test(line.slice(0, match.index)) }, line, at, end);
      case '"':
        return this.#open({ what: 'identifier' }, line, at, end);
      case '--':
        this.#keep(line, at, match.index);
        this.#text += '\n';
        return line.length;
      case '/*':
        this.#keep(line, at, match.index);
        this.#text += ' ';
        this.#inside = { what: 'comment', depth: 1 };
        return end;
      case '(':
      case ')':
        this.#depth += token === '(' ? 1 : -1;
        return this.#keep(line, at, end);
      case ';':
        if (this.#depth > 0 || this.#bodyDepth > 0) return this.#keep(line, at, end);
        this.#keep(line, at, match.index);
        this.#finish(pieces);
        return end;
      case '\\':
        if (!first) return this.#keep(line, at, end);
        pieces.push({ kind: 'command', text: line.slice(match.index).trim(), line: number });
        return line.length;
      default:
        if (token.startsWith('$')) return this.#open({ what: 'dollar', tag: token }, line, at, end);
        this.#word(token.toLowerCase());
        return this.#keep(line, at, end);
    }
  }

  /** Inside quotes or a comment. @returns where plain SQL goes on, or the end of the line */
  #quoted(line: string, at: number): number {
    const inside = this.#inside;
    switch (inside.what) {
      case 'dollar':
        return this.#close(line, at, line.indexOf(inside.tag, at), inside.tag.length);
      case 'identifier':
        return this.#close(line, at, line.indexOf('"', at), 1);
      case 'string':
        return this.#close(line, at, inside.escapes ? endOfEscaped(line, at) : line.indexOf("'", at), 1);
      case 'comment':
        return this.#comment(inside, line, at);
      case 'sql':
        return at;
    }
  }

  #comment(inside: { depth: number }, line: string, at: number): number {
    const mark = /\/\*|\*\//g;
    mark.lastIndex = at;
    const match = mark.exec(line);
    if (!match) return line.length;
    inside.depth += match[0] === '/*' ? 1 : -1;
    if (inside.depth === 0) this.#inside = SQL;
    return match.index + 2;
  }

  #open(inside: Inside, line: string, from: number, to: number): number {
    this.#inside = inside;
    return this.#keep(line, from, to);
  }

  /** A doubled quote closes and opens again: the text is the same. */
  #close(line: string, from: number, found: number, length: number): number {
    if (found < 0) return this.#keep(line, from, line.length);
    this.#inside = SQL;
    return this.#keep(line, from, found + length);
  }

  #keep(line: string, from: number, to: number): number {
    this.#text += line.slice(from, to);
    return to;
  }

  /** psql's rule: in CREATE [OR REPLACE] FUNCTION or PROCEDURE, BEGIN and CASE open what END closes. */
  #word(word: string): void {
    if (this.#words.length < 4) this.#words.push(word);
    const [create, second, replace, what] = this.#words;
    const kind = second === 'or' && replace === 'replace' ? what : second;
    if (create !== 'create' || (kind !== 'function' && kind !== 'procedure') || this.#depth > 0) return;
    if (word === 'begin' || (word === 'case' && this.#bodyDepth > 0)) this.#bodyDepth++;
    else if (word === 'end' && this.#bodyDepth > 0) this.#bodyDepth--;
  }

  #finish(pieces: Piece[]): void {
    const text = this.#text.trim();
    if (text !== '') pieces.push({ kind: 'statement', text, line: this.#startLine });
    this.#text = '';
    this.#depth = 0;
    this.#bodyDepth = 0;
    this.#words = [];
  }
}

function endOfEscaped(line: string, at: number): number {
  for (let i = at; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line[i] === "'") return i;
  }
  return -1;
}
