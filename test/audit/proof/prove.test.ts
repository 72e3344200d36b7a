import { describe, expect, it } from 'vitest';
import { placesByScan } from '../../../functions/audit/proof/find-places.ts';
import { proveEvents } from '../../../functions/audit/proof/prove.ts';
import { parseTlogProofs } from '../../../functions/audit/proof/tlog-proof.ts';
import { verifyBundle } from '../../../functions/audit/proof/verify-bundle.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { anEvent, eventIdOf } from '../../support/audit-events.ts';
import { entriesNamed, logOf } from '../../support/log-objects.ts';
import { provableLogs } from '../../support/provable-logs.ts';

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, n) => n + from);

async function givenLogs(events: number) {
  const logs = provableLogs();
  const recorded = numbers(events).map((number) => anEvent(number, { region: logs.home }));
  await logs.record(...recorded);
  await logs.sequence(logs.home);
  return { ...logs, recorded, key: await logs.keyOf(logs.home) };
}

describe('proveEvents', () => {
  it('proves an event so that it verifies with the key of its log alone', async () => {
    const { provePorts, home, recorded, key } = await givenLogs(700);
    const event = recorded[431];
    const text = await proveEvents([{ region: home, eventId: eventIdOf(432) }], provePorts(home));
    const verdict = verifyBundle(text, [key]);
    expect(verdict.holds).toBe(true);
    expect(verdict.proofs[0]).toMatchObject({
      checkpoint: { size: 700 },
      leaf: { eventId: event?.eventId },
      body: { resource: 'Observation/4711' },
    });
  });

  it('proves the events of an incident against one checkpoint, in the order asked for', async () => {
    const { provePorts, home, key, record, sequence } = await givenLogs(300);
    const asked = [250, 3, 111].map((number) => ({ region: home, eventId: eventIdOf(number) }));
    const ports = provePorts(home);
    const original = ports.auditObjects.get;
    let grown = false;
    // The log goes on while it is being proven.
    const auditObjects: typeof ports.auditObjects = {
      async get(region, path) {
        const bytes = await original(region, path);
        if (path.endsWith('checkpoint') && !grown) {
          grown = true;
          await record(...numbers(10, 1000).map((number) => anEvent(number, { region: home })));
          await sequence(home);
        }
        return bytes;
      },
    };
    const text = await proveEvents(asked, { ...ports, auditObjects });
    expect(new Set(parseTlogProofs(text).map(({ checkpoint }) => checkpoint)).size).toBe(1);
    const verdict = verifyBundle(text, [key]);
    expect(verdict.holds).toBe(true);
    expect(
      verdict.proofs.map(({ leaf, checkpoint }) => [leaf?.format === 'codeblue-audit-leaf/1' && leaf.eventId, checkpoint?.size]),
    ).toEqual(asked.map(({ eventId }) => [eventId, 300]));
  });

  it('reads no more than the tiles on the way, each once, however many events', async () => {
    const { provePorts, home } = await givenLogs(2000);
    const ports = provePorts(home);
    const read: string[] = [];
    const auditObjects: typeof ports.auditObjects = {
      get: (region, path) => {
        read.push(path);
        return ports.auditObjects.get(region, path);
      },
    };
    await proveEvents([{ region: home, eventId: eventIdOf(1) }], { ...ports, auditObjects });
    expect(read.sort()).toEqual(['1/checkpoint', '1/tile/0/000', '1/tile/0/007.p/208', '1/tile/1/000.p/7']);
    read.length = 0;
    await proveEvents(
      numbers(40).map((number) => ({ region: home, eventId: eventIdOf(number * 50) })),
      { ...ports, auditObjects },
    );
    expect(new Set(read).size).toBe(read.length);
    expect(read).toHaveLength(10);
  });

  it('says of an event that waits for its place that it waits', async () => {
    const { provePorts, home, record, sequence } = await givenLogs(10);
    const late = anEvent(99, { region: home });
    await record(late);
    const asked = [{ region: home, eventId: late.eventId }];
    await expect(proveEvents(asked, provePorts(home))).rejects.toMatchObject({
      name: 'NotInLogYet',
      retryable: true,
      message: expect.stringContaining(late.eventId),
    });
    await sequence(home);
    await expect(proveEvents(asked, provePorts(home))).resolves.toContain('c2sp.org/tlog-proof@v1');
  });

  it('says of an event that nobody recorded there that it is unknown', async () => {
    const { provePorts, home, away } = await givenLogs(10);
    await expect(proveEvents([{ region: home, eventId: eventIdOf(5000) }], provePorts(home))).rejects.toMatchObject({ name: 'NotFound' });
    await expect(proveEvents([{ region: away, eventId: eventIdOf(5) }], provePorts(home))).rejects.toMatchObject({ name: 'NotFound' });
    await expect(proveEvents([], provePorts(home))).rejects.toMatchObject({ name: 'InvalidInput' });
  });

  it('finds an event of another Region in its log, also in an older generation', async () => {
    const { provePorts, home, away, record, sequence, keyOf, operations } = provableLogs({ generation: 2 });
    const older = { ...operations, audit: { ...operations.audit, generation: 1 } };
    const [first, second] = [numbers(600), numbers(300, 601)].map((some) => some.map((number) => anEvent(number, { region: away })));
    await record(...(first ?? []));
    await sequence(away, older);
    await record(...(second ?? []));
    await sequence(away);
    const asked = [17, 600, 601, 900].map((number) => ({ region: away, eventId: eventIdOf(number) }));
    const text = await proveEvents(asked, provePorts(home));
    const verdict = verifyBundle(text, [await keyOf(away, 1), await keyOf(away, 2)]);
    expect(verdict.holds).toBe(true);
    expect(verdict.proofs.map(({ index, checkpoint }) => [index, checkpoint?.origin.split('/').slice(1).join('/')])).toEqual([
      [16, `${away}/1`],
      [599, `${away}/1`],
      [1, `${away}/2`],
      [300, `${away}/2`],
    ]);
  });

  it('says of one that the copied log does not hold yet that it is not there yet', async () => {
    const { provePorts, home, away, record } = provableLogs();
    await record(anEvent(1, { region: away }));
    await expect(proveEvents([{ region: away, eventId: eventIdOf(1) }], provePorts(home))).rejects.toMatchObject({ name: 'NotInLogYet' });
  });

  it('says so, too, when the checkpoint that is read is older than the place', async () => {
    const { provePorts, portsOf, home, record, sequence } = await givenLogs(5);
    const old = await portsOf(home).auditObjects.get(home, '1/checkpoint');
    await record(anEvent(6, { region: home }));
    await sequence(home);
    const ports = provePorts(home);
    const auditObjects: typeof ports.auditObjects = {
      get: async (region, path) => (path === '1/checkpoint' ? old : ports.auditObjects.get(region, path)),
    };
    await expect(proveEvents([{ region: home, eventId: eventIdOf(6) }], { ...ports, auditObjects })).rejects.toMatchObject({
      name: 'NotInLogYet',
    });
  });

  it('looks through a log of another Region to its first entry', async () => {
    const events = numbers(3).map((number) => anEvent(number));
    const { read, root } = logOf([...events.map(({ leaf }) => Buffer.from(leaf)), ...entriesNamed(6000)]);
    const log = { note: '', checkpoint: { origin: 'o', size: 6003, root }, read };
    const places = await placesByScan(events, async () => log, 1);
    expect([...places.values()].map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('leaves out what was erased, or is not for the receiver', async () => {
    const { provePorts, portsOf, home, key } = await givenLogs(20);
    const [erased, kept] = [7, 8].map((number) => ({ region: home, eventId: eventIdOf(number) }));
    if (!erased || !kept) throw new Error('no events');
    await portsOf(home).auditEvents.erase(erased, timestamp(new Date('2026-11-21T13:00:00Z')));
    const { proofs, holds } = verifyBundle(await proveEvents([erased, kept], provePorts(home)), [key]);
    expect(holds).toBe(true);
    expect(proofs.map(({ body }) => body?.userId)).toEqual([undefined, 'nurse-17']);
    const bare = await proveEvents([kept], provePorts(home), { withBodies: false });
    expect(verifyBundle(bare, [key])).toMatchObject({ holds: true, proofs: [{ leaf: { eventId: kept.eventId } }] });
    expect(verifyBundle(bare, [key]).proofs[0]).not.toHaveProperty('body');
  });

  it('hands out no proof that does not hold', async () => {
    const { provePorts, home, versions } = await givenLogs(600);
    const [asked] = [{ region: home, eventId: eventIdOf(3) }];
    const change = (path: string) => {
      const bytes = versions.get(`${home} 1/${path}`)?.at(-1)?.bytes;
      if (bytes) bytes[40] = (bytes[40] ?? 0) ^ 1;
    };
    change('tile/0/000');
    await expect(proveEvents([asked], provePorts(home))).rejects.toMatchObject({ name: 'LogDamaged' });
    change('tile/0/000');
    await expect(proveEvents([asked], provePorts(home))).resolves.toBeDefined();
    change('checkpoint');
    await expect(proveEvents([asked], provePorts(home))).rejects.toMatchObject({ name: 'NoteRefused' });
  });
});
