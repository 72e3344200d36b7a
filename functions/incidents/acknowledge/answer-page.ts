import { createHash } from 'node:crypto';
import type { HttpResponse } from '../../common/endpoint.ts';

/** Words of Codeblue and ids of the config; escaped all the same. */
export interface AnswerPage {
  readonly status: number;
  readonly title: string;
  readonly lines: readonly string[];
  /** A button that posts to this very address. */
  readonly button?: string;
}

const style = `
  :root { color-scheme: light dark; }
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 0 auto; padding: 1.5rem; }
  h1 { font-size: 1.4rem; }
  button { font: inherit; font-weight: 600; width: 100%; min-height: 3.5rem; border: 0; border-radius: 0.5rem; background: #0b5cad; color: #fff; }
  button:focus-visible { outline: 4px solid #f5a623; outline-offset: 2px; }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/** Nothing is loaded, nothing runs, nobody may frame it, and the address, which acknowledges, goes along to nobody. */
const headers: HttpResponse['headers'] = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
};

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');

/** A small page without script, for a telephone at night: one heading, a few lines, at most one button. */
export function answerPage({ status, title, lines, button }: AnswerPage): HttpResponse {
  const body = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<main>',
    `<h1>${escaped(title)}</h1>`,
    ...lines.map((line) => `<p>${escaped(line)}</p>`),
    ...(button === undefined ? [] : [`<form method="post"><button type="submit">${escaped(button)}</button></form>`]),
    '</main>',
    '</body>',
    '</html>',
    '',
  ];
  return { status, headers, body: body.join('\n') };
}
