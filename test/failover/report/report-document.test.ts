import { describe, expect, test } from 'vitest';
import { Region } from '../../../functions/common/ids.ts';
import { documentKeys, htmlPage, storeDocument } from '../../../functions/failover/report/report-document.ts';
import { manualClock } from '../../../functions/memory/clock.ts';
import { memoryItemStore } from '../../../functions/memory/item-store.ts';
import { memoryReports } from '../../../functions/memory/reports.ts';

const region = Region.parse('us-west-2');
const markdown = [
  '# Rehearsal of 21 November',
  '',
  '**It passed.**',
  '',
  '| Phase | time |',
  '| --- | --- |',
  '| promote | 4.2 s |',
  '',
].join('\n');

describe('the page of a report', () => {
  test('is one whole document with its title, its text and its tables', () => {
    const html = htmlPage(markdown);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toContain('<title>Rehearsal of 21 November</title>');
    expect(html).toContain('<h1>Rehearsal of 21 November</h1>');
    expect(html).toContain('<strong>It passed.</strong>');
    expect(html).toMatch(/<td>promote<\/td>\s*<td>4.2 s<\/td>/);
    for (const element of ['html', 'head', 'body', 'table', 'style', 'title', 'h1', 'p']) {
      const opened = html.match(new RegExp(`<${element}[ >]`, 'g'))?.length;
      expect({ element, closed: html.split(`</${element}>`).length - 1 }).toEqual({ element, closed: opened });
    }
  });

  test('shows what people wrote and never obeys it', () => {
    const html = htmlPage(
      [
        '# A <script>alert(1)</script> title',
        '',
        'because <img src=x onerror=alert(2)> of [this](javascript:alert(3)) and ![that](https://example.org/pixel.png)',
        '',
        '<iframe src="https://example.org"></iframe>',
        '',
      ].join('\n'),
    );
    expect(html).not.toMatch(/<(script|img|iframe|a)\b/);
    expect(html).toContain('&lt;script&gt;');
  });

  test('fetches nothing', () => {
    expect(htmlPage(markdown)).not.toMatch(/https?:|url\(|@import|src=|href=/);
  });

  test('is dark on paper never: colours of a dark screen are for screens', () => {
    expect(htmlPage(markdown)).toContain('@media screen and (prefers-color-scheme: dark)');
    expect(htmlPage(markdown)).not.toContain('@media (prefers-color-scheme');
  });

  test('scrolls a wide table, and not the page', () => {
    expect(htmlPage(markdown)).toMatch(/<div class="wide"><table>.*<\/table><\/div>/s);
  });

  test('wants a title', () => {
    expect(() => htmlPage('only text')).toThrow('begins with its title');
  });
});

describe('storing', () => {
  const document = { stem: 'drills/rehearsal-1', json: { outcome: 'passed' }, markdown };
  const keys = documentKeys(document.stem);

  test('leaves all three, once', async () => {
    const reports = memoryReports(memoryItemStore(manualClock('2026-11-21T12:00:00.000Z')));
    expect(await storeDocument(reports, region, document)).toBe(true);
    expect(await reports.list(region, 'drills/')).toEqual([keys.html, keys.json, keys.markdown]);
    expect(await storeDocument(reports, region, { ...document, json: { outcome: 'missed' } })).toBe(false);
    expect(Buffer.from((await reports.get(region, keys.json)) ?? []).toString()).toBe('{"outcome":"passed"}\n');
  });

  test('goes on where an earlier run died', async () => {
    for (const put of [1, 2, 3]) {
      const reports = memoryReports(memoryItemStore(manualClock('2026-11-21T12:00:00.000Z')));
      let puts = 0;
      const { put: store } = reports;
      reports.put = async (...given) => {
        if (++puts === put) throw new Error('died');
        await store(...given);
      };
      await expect(storeDocument(reports, region, document)).rejects.toThrow('died');
      expect(await storeDocument(reports, region, document)).toBe(true);
      expect(await reports.list(region, 'drills/')).toHaveLength(3);
    }
  });
});
