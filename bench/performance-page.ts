import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

/** Puts a result into docs/performance.md, in place of what stands between the marks of that benchmark. @throws TypeError without marks */
export function writeResult(name: string, result: string): void {
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new TypeError(`docs/performance.md has no marks for ${name}`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n\`\`\`\n${result.trim()}\n\`\`\`\n\n${text.slice(to)}`);
}
