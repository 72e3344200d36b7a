/** A cell: its text, and how to colour it once its width is known. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);
const paint = (cell: Cell, text: string): string => (typeof cell === 'string' ? text : cell.paint(text));

/** Columns aligned by spaces, two between them: readable on a terminal, and by `awk` and `cut` in a pipe. */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  head: (text: string) => string = (text) => text,
): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => textOf(row[column] ?? '').length)));
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, column) => {
        const text = textOf(cell);
        const last = column === cells.length - 1;
        return paint(cell, text) + (last ? '' : ' '.repeat((widths[column] ?? 0) - text.length + 2));
      })
      .join('')
      .trimEnd();
  return [line(header.map((title) => ({ text: title, paint: head }))), ...rows.map(line)].join('\n');
}
