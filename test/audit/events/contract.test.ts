import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commonAudit } from '../../../config/profiles/common-audit.ts';
import { acceptEvents } from '../../../functions/audit/events/accept.ts';
import { SubmittedEvent, standardActions } from '../../../functions/audit/events/event.ts';
import { rejectionCodes } from '../../../functions/audit/events/rejection.ts';

const page = readFileSync('docs/audit-events.md', 'utf8');
const schema = z
  .object({ properties: z.record(z.string(), z.object({ pattern: z.string().optional() })) })
  .parse(JSON.parse(readFileSync('docs/audit-event.schema.json', 'utf8')));

describe('docs/audit-event.schema.json', () => {
  it('is what the schema of the door says now', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/audit-event-schema.ts', '--check'], { encoding: 'utf8' });
    expect(stderr.includes('docs:audit-event') ? stderr : '').toBe('');
    expect(status).toBe(0);
  });

  it('refuses in a line the same characters as the door, in words that every language knows', () => {
    const pattern = new RegExp(schema.properties.userId?.pattern ?? '', 'u');
    const differing: number[] = [];
    for (let point = 0; point <= 0x10ffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue; // no UTF-8 holds them
      const text = String.fromCodePoint(point);
      if (pattern.test(text) !== SubmittedEvent.shape.userId.safeParse(text).success) differing.push(point);
    }
    expect(differing).toEqual([]);
  });
});

describe('docs/audit-events.md', () => {
  it('has an event that is accepted', () => {
    const [, text = ''] = /```json\n(.+?)\n```/s.exec(page) ?? [];
    const event = SubmittedEvent.parse(JSON.parse(text));
    const { accepted, rejected } = acceptEvents(event, { policy: commonAudit, now: new Date(event.at), submittedBy: 'x' });
    expect(rejected).toEqual([]);
    expect(accepted).toHaveLength(1);
    expect(Object.keys(event).sort()).toEqual(Object.keys(SubmittedEvent.shape).sort());
  });

  it('names every field, action and code of rejection, and no others', () => {
    const rows = (heading: string, end: string) =>
      [...page.slice(page.indexOf(heading), page.indexOf(end, page.indexOf(heading) + 1)).matchAll(/^\| `([^`]+)` \|/gm)].map(
        ([, name]) => name,
      );
    expect(rows('## An event', 'Standard actions').sort()).toEqual(Object.keys(SubmittedEvent.shape).sort());
    expect(rows('## Codes of rejection', '\u0000').sort()).toEqual(Object.keys(rejectionCodes).sort());
    const named = page.slice(page.indexOf('Standard actions:'), page.indexOf('## What must never'));
    expect([...named.matchAll(/`([^`]+)`/g)].map(([, name]) => name).sort()).toEqual([...standardActions].sort());
  });

  it('tells the clock rule and the retention of the profiles', () => {
    const { ahead, behind } = commonAudit.clockSkew;
    expect(page).toContain(`at most ${ahead / 60} minutes ahead of Codeblue's clock, and at most ${behind / 86_400} days behind it`);
  });
});
