import { describe, expect, it, test } from 'vitest';
import { questionHash } from '../../functions/failover/approval/approvals.ts';
import { claim, isFor } from '../../functions/failover/leadership/claim.ts';
import type { ApprovalQuestion } from '../../functions/failover/models.ts';
import { Communication, communicationHash } from '../../functions/incidents/communication/communication.ts';
import { contentRoot } from '../../functions/verify/content-root.ts';
import type { DatabaseInspection } from '../../functions/verify/inspection.ts';
import { proofBytes } from '../../functions/verify/proof.ts';
import { noRows } from '../../functions/verify/totals.ts';
import { led, planned } from '../failover/support.ts';
import { proofOf } from '../support/proofs.ts';

/** Names in another order, at every depth: what a store or another writer may make of it. */
function reordered<T>(value: T): T;
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => reordered(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, each]) => [name, reordered(each)]),
  );
}

const database: DatabaseInspection = {
  ...{ name: 'hms', encoding: 'UTF8', collation: 'C', identity: 'b7c1', canary: undefined },
  ...{ schema: [], unlogged: [], sequences: [], foreignKeys: [], indexes: [], constraints: [], invariants: [], errors: [] },
  tables: ['visit', 'Ärztin', 'patient'].map((name, index) => ({
    ...{ schema: 'public', name, recent: '', matched: '', overflowed: false },
    total: { count: String(4_000_000 + index), sum1: '18446744073709551615', sum2: '-9007199254740993' },
    settled: noRows,
  })),
};

const communication = Communication.parse({
  ...{ format: 'codeblue-communication/1', incidentId: 'inc-20261122t070000z-1f2e3d4c5b', template: 'outage', audience: 'external' },
  ...{ subject: 'Termine', text: 'Die Klinik ist erreichbar.\n\u20ac "2"', words: { ward: '7\\3', b: '', a: '\u{1F3E5}' } },
  ...{ writtenBy: 'alice', writtenAt: '2026-11-21T07:00:00.000Z', expiresAt: '2026-11-21T07:30:00.000Z' },
});

/**
 * Digests that are stored, signed or approved somewhere: an upgrade that wrote another text for the same thing would make every one of them worthless. These were computed
 * with release 0.4.0.
 */
describe('what was hashed before is hashed the same for ever:', () => {
  test.each([
    [
      'a proof of restore',
      () => new TextDecoder().decode(proofBytes(proofOf('2026-11-21T07:30:00Z'))).split('\n')[1],
      '3071643526ecc1a10d8dccf1647544ec4f6450fd5c9925314ea94f153ede929c',
    ],
    [
      'the content of a copy',
      () => contentRoot({ serverVersion: '18', inspectedAt: new Date(0), databases: [database] }),
      '35e2f58214154ee55ef50e211d7e13283c9b032a52361c8420277066f615ea06',
    ],
    [
      'a question to approve',
      () => questionHash({ question: 'start', plan: planned(), losses: [] }),
      '5b5029e99ff880d1d5f4e6f51a8d3cc731f0b74f4eaf9c6850738d8ce2a94dfc',
    ],
    ['a text to approve', () => communicationHash(communication), '08344cce3bb6ed30cc91fa3d1cbb81be8ee1f37d9231252a3c4b44293412f84b'],
  ])('%s', (_, hash, known) => {
    expect(hash()).toBe(known);
  });

  it('names may come in any order', () => {
    expect(communicationHash(reordered(communication))).toBe(communicationHash(communication));
    const question: ApprovalQuestion = { question: 'start', plan: planned(), losses: [] };
    expect(questionHash(reordered(question))).toBe(questionHash(question));
    const claimed = claim(led(), planned());
    if (claimed.kind !== 'write') throw new Error('it is claimed');
    expect(isFor(claimed.record, reordered(planned()))).toBe(true);
    expect(isFor(claimed.record, planned({ reason: 'another' }))).toBe(false);
  });
});
