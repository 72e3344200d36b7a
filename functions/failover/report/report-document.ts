import { Marked } from 'marked';
import { InvalidInput } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import type { Reports } from '../ports.ts';

/** What people find of one report: the same facts for machines, for a terminal and for a browser. */
export interface ReportDocument {
  /** Where the three objects lie; their names end in `.json`, `.md` and `.html`. */
  readonly stem: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Begins with its title, `# ...`. */
  readonly markdown: string;
}

export const documentKeys = (stem: string) => ({ json: `${stem}.json`, markdown: `${stem}.md`, html: `${stem}.html` });

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);

/**
 * People's own words stand in reports, such as the reason they gave: markup in them is shown and never obeyed, and nothing is fetched from
 * anywhere, whatever a report says.
 */
const renderer = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escaped(text),
    link: ({ raw }) => escaped(raw),
    image: ({ raw }) => escaped(raw),
  },
});

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  h1 { font-size: 1.6rem; line-height: 1.25 } h2 { font-size: 1.2rem; margin-top: 2rem }
  .wide { overflow-x: auto; margin: 1rem 0 }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums }
  th, td { border: 1px solid #ccc; padding: .3rem .7rem; text-align: left } th { background: #f2f2f2 }
  code { font: .9em ui-monospace, monospace; background: #f2f2f2; padding: 0 .2em }
  tr { break-inside: avoid } h1, h2 { break-after: avoid }
  @media (max-width: 30rem) { th, td { padding: .2rem .4rem } }
  @media screen and (prefers-color-scheme: dark) { body { color: #eee; background: #161616 } th, code { background: #2a2a2a } th, td { border-color: #444 } }
  @media print { body { margin: 0; padding: 0; max-width: none; font-size: 11pt } .wide { overflow: visible } }`;

/** One page that needs nothing else: no script, no font, no picture. @throws InvalidInput for text without a title */
export function htmlPage(markdown: string): string {
  const title = /^# (.+)$/m.exec(markdown)?.[1];
  if (title === undefined) throw new InvalidInput('a report begins with its title');
  // A table that is wider than a telephone scrolls by itself; the text does not.
  const body = renderer
    .parse(markdown, { async: false })
    .replaceAll('<table>', '<div class="wide"><table>')
    .replaceAll('</table>', '</table></div>');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    '</head>',
    `<body>\n${body}</body>`,
    '</html>',
    '',
  ].join('\n');
}

/**
 * Stores what is not there yet. Objects are immutable and a step may run again: the JSON comes first, and what is stored decides; the text last, so that where it is
 * everything was done.
 *
 * @returns false when the whole report was there already
 */
export async function storeDocument(reports: Reports, region: Region, { stem, json, markdown }: ReportDocument): Promise<boolean> {
  const keys = documentKeys(stem);
  if (await reports.get(region, keys.markdown)) return false;
  const objects = [
    [keys.json, `${JSON.stringify(json)}\n`, 'application/json'],
    [keys.html, htmlPage(markdown), 'text/html; charset=utf-8'],
    [keys.markdown, markdown, 'text/markdown; charset=utf-8'],
  ] as const;
  for (const [key, text, contentType] of objects) {
    if (!(await reports.get(region, key))) await reports.put(region, key, Buffer.from(text), contentType);
  }
  return true;
}
