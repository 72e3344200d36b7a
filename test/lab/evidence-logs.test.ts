import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../functions/common/logger.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import { labEvidenceLogs } from '../../lab/failover/evidence-logs.ts';
import { handlerLog, handlerLogFile } from '../../lab/failover/handler-log.ts';
import { labFailover, watchableNumbers } from '../../lab/failover/policy.ts';
import { labOperations } from '../../lab/operations.ts';
import { type RunningRegions, startRegions } from '../../lab/start.ts';
import { databaseId, regionNames, removeDir, temporaryDir } from './support/labs.ts';

const { primary: region, tertiary } = regionNames;
const operations = labOperations(
  'hms',
  [],
  ['postgres'],
  {},
  {
    ...labFailover(watchableNumbers),
    mode: 'automatic',
    evidence: { logGroups: { [region]: ['hospital/gateway'] } },
  },
);
const ever = { from: new Date(0), until: new Date('2100-01-01T00:00:00.000Z') };
let base: string;
let lab: RunningRegions;

beforeAll(async () => {
  base = temporaryDir();
  const options = { deployment: 'ward', databaseId, regions: regionNames, standbys: [], seed: 5, load: async () => ['postgres'] };
  lab = await startRegions({ baseDir: join(base, 'labs'), ...options });
});
afterAll(async () => {
  await lab?.stop();
  removeDir(base);
});

async function read(group: string, window = ever) {
  const logs = labEvidenceLogs(lab.regions, operations);
  const pages = [await logs.page({ region, group, ...window })];
  for (let cursor = pages[0]?.cursor; cursor !== undefined; cursor = pages.at(-1)?.cursor) {
    pages.push(await logs.page({ region, group, ...window, cursor }));
  }
  return { pages: pages.length, events: pages.flatMap(({ events }) => events) };
}

test('tells who came to the database, and what handlers did; what the config names and is not there is told too', async () => {
  handlerLog(lab.regions.paths(region), silentLogger).warn('a database does not answer', { databaseId });
  await (await pgServer(lab.regions.address(region, 'codeblue')).connect('postgres')).close();
  const logs = labEvidenceLogs(lab.regions, operations);
  expect(await logs.groups(region)).toEqual([
    { name: 'hospital/gateway', exists: false },
    { name: 'lab/handlers', exists: true },
    { name: 'lab/postgresql', exists: true },
  ]);
  expect(await logs.groups(tertiary)).toEqual([]);
  const { events } = await read('lab/postgresql');
  expect(events.filter(({ message }) => message.includes('connection authorized: user=codeblue'))).not.toHaveLength(0);
  expect((await read('lab/handlers')).events.map(({ message }) => JSON.parse(message))).toEqual([
    { level: 'warn', message: 'a database does not answer', databaseId },
  ]);
  await expect(logs.page({ region, group: 'hospital/gateway', ...ever })).rejects.toMatchObject({ name: 'NotFound' });
});

test('gives every line of the window once, over pages; one that is still being written is left', async () => {
  const line = (second: number) =>
    `2026-11-21T03:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}.000Z ${'x'.repeat(1000)}${second}\n`;
  const seconds = Array.from({ length: 3000 }, (_, second) => second);
  appendFileSync(handlerLogFile(lab.regions.paths(region)), `${seconds.map(line).join('')}2026-11-21T03:00:09.000Z half`);
  const window = { from: new Date('2026-11-21T03:00:10.000Z'), until: new Date('2026-11-21T03:49:00.000Z') };
  const { pages, events } = await read('lab/handlers', window);
  expect(pages).toBeGreaterThan(2);
  expect(events.map(({ message }) => Number(message.replaceAll('x', '')))).toEqual(seconds.slice(10, 49 * 60));
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
});
