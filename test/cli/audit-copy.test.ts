import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemHost } from '../../cli/system-host.ts';
import { canonicalJson } from '../../functions/audit/events/leaf.ts';
import { checkpointText, signedNote, verifierKey } from '../../functions/audit/log/checkpoint.ts';
import { cosigned } from '../../functions/audit/log/cosign.ts';
import { Region } from '../../functions/common/ids.ts';
import { memoryCheckpointSigner } from '../../functions/memory/audit/checkpoint-signer.ts';
import { memoryWitnesses } from '../../functions/memory/audit/witnesses.ts';
import { entriesNamed, type LogInMemory, logOf } from '../support/log-objects.ts';
import { testWitness } from '../support/witness.ts';
import { auditCliWorld } from './audit-cli-world.ts';

const region = Region.parse('eu-west-1');
const originOf = (generation: number) => `hms-codeblue-audit/${region}/${generation}`;
const signer = memoryCheckpointSigner({ region, secret: Buffer.from('copies') });
const keyOf = async (generation: number) => verifierKey(originOf(generation), await signer.publicKey(region, generation));

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'codeblue-copies-'));
});
afterAll(() => rm(scratch, { recursive: true }));

async function noteOf(log: LogInMemory, generation: number): Promise<string> {
  const text = checkpointText({ origin: originOf(generation), size: log.edge.size, root: log.root });
  const publicKey = await signer.publicKey(region, generation);
  return signedNote(text, originOf(generation), publicKey, await signer.sign(generation, Buffer.from(text)));
}

/** A copy of a bucket: generation 1, and 2 where there is one. */
async function copyOf(name: string, ...logs: readonly LogInMemory[]): Promise<string> {
  for (const [index, log] of logs.entries()) {
    const directory = join(scratch, name, String(index + 1));
    for (const { path, bytes } of log.objects.values()) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), bytes);
    }
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'checkpoint'), await noteOf(log, index + 1));
  }
  return join(scratch, name);
}

async function successorOf(log: LogInMemory, root: Uint8Array = log.root): Promise<LogInMemory> {
  const predecessor = canonicalJson({
    format: 'codeblue-audit-predecessor/1',
    ...{ origin: originOf(1), size: log.edge.size, root: Buffer.from(root).toString('base64'), verifierKey: await keyOf(1) },
  });
  return logOf([Buffer.from(predecessor), ...entriesNamed(300, 'later')]);
}

const { run } = auditCliWorld({ host: { readFile: systemHost().readFile } });

async function verify(directory: string, ...words: string[]) {
  const keys = ['--key', await keyOf(1), '--key', await keyOf(2)];
  const { stdout, stderr, exitCode } = await run('audit', 'verify', '--log', directory, ...keys, '--json', ...words);
  return { exitCode, stderr, ...JSON.parse(stdout || '{}') };
}

const all = entriesNamed(1000);
const log = logOf(all.slice(0, 700), all.slice(700));

describe('audit verify --log', () => {
  test('of a sound copy says that every entry hashes to what was signed', async () => {
    const directory = await copyOf('sound', log);
    expect(await verify(directory)).toMatchObject({
      ...{ exitCode: 0, holds: true },
      logs: [{ directory: join(directory, '1'), checkpoint: { origin: originOf(1), size: 1000 }, entries: 1000, wrong: [] }],
    });
    const { stdout } = await run('audit', 'verify', '--log', join(directory, '1'), '--key', await keyOf(1));
    expect(stdout).toMatch(/The copy holds[\s\S]*1000 of 1000 entries hash to root [\w+/]+=\n/);
  });

  test('names what was changed, reads the rest, and ends with 1', async () => {
    const directory = await copyOf('changed', log);
    const bundle = join(directory, '1/tile/entries/001');
    const bytes = await readFile(bundle);
    await writeFile(bundle, bytes.toString('latin1').replace('entry 300 ', 'entry 308 '), 'latin1');
    await rm(join(directory, '1/tile/entries/002'));
    const verified = await verify(directory);
    expect(verified).toMatchObject({ exitCode: 1, holds: false, logs: [{ entries: 1000 - 512 }] });
    expect(verified.logs[0].wrong).toEqual([
      'tile/entries/001 does not hash to tile/0/001',
      'tile/entries/002 is missing, and no full one stands in its place',
    ]);
  });

  test('believes no key that was not given', async () => {
    const directory = await copyOf('other-key', log);
    const { stdout, exitCode } = await run('audit', 'verify', '--log', directory, '--key', await keyOf(2));
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`no key that was given signed its checkpoint, which says that it is of ${originOf(1)}`);
  });

  test('holds each generation against the one before', async () => {
    const next = await successorOf(log);
    expect(await verify(await copyOf('rotated', log, next))).toMatchObject({ exitCode: 0, logs: [{ entries: 1000 }, { entries: 301 }] });
    const grown = logOf(all.slice(0, 1000), [Buffer.from('after its end')]);
    expect((await verify(await copyOf('grown', grown, next))).logs[0].wrong).toEqual([
      expect.stringContaining('closed at 1000 entries by the log that follows it and has 1001'),
    ]);
    const other = await successorOf(
      log,
      log.root.map((byte) => byte ^ 1),
    );
    expect(await verify(await copyOf('other-end', log, other))).toMatchObject({ exitCode: 1, holds: false });
  });

  test('holds the log against a checkpoint that was kept', async () => {
    const kept = join(scratch, 'kept');
    await writeFile(kept, await noteOf(logOf(all.slice(0, 700)), 1));
    const directory = await copyOf('grew', log);
    expect(await verify(directory, '--seen', kept)).toMatchObject({ exitCode: 0, holds: true });
    const shorter = await copyOf('shorter', logOf(all.slice(0, 600)));
    expect((await verify(shorter, '--seen', kept)).logs[0].wrong).toEqual([`it ends at 600 entries, and had 700 in ${kept}`]);
    const forked = await copyOf('forked', logOf(entriesNamed(1000, 'other')));
    expect((await verify(forked, '--seen', kept)).logs[0].wrong).toEqual([expect.stringContaining('that is another history')]);
    await writeFile(kept, await noteOf(await successorOf(log), 2));
    expect(await verify(directory, '--seen', kept)).toMatchObject({
      exitCode: 1,
      missing: [`${kept} is a checkpoint of ${originOf(2)}, which is not in the copy`],
    });
  });

  test('wants the witnesses that are named', async () => {
    const directory = await copyOf('witnessed', log);
    const witness = testWitness({ name: 'witness.example', logs: new Map([[originOf(1), await keyOf(1)]]), now: () => new Date() });
    expect(await verify(directory, '--witness', witness.verifierKey)).toMatchObject({
      exitCode: 1,
      logs: [{ wrong: ['0 of 1 known witnesses cosigned its checkpoint; wanted: 1'] }],
    });
    const { note } = await cosigned(await noteOf(log, 1), {
      policy: { quorum: 1, use: [{ verifierKey: witness.verifierKey, url: 'https://witness.example' }] },
      from: 0,
      prove: async () => [],
      witnesses: memoryWitnesses(new Map([['https://witness.example', witness.addCheckpoint]])),
    });
    await writeFile(join(directory, '1/checkpoint'), note);
    expect(await verify(directory, '--witness', witness.verifierKey)).toMatchObject({ exitCode: 0, holds: true });
  });

  test('reads a large log on several threads, and finds in it what one would', async () => {
    const directory = await copyOf('large', logOf(entriesNamed(300_000)));
    expect(await verify(directory)).toMatchObject({ exitCode: 0, logs: [{ entries: 300_000, wrong: [] }] });
    const bundle = join(directory, '1/tile/entries/x001/100');
    const bytes = await readFile(bundle);
    bytes.writeUInt8(bytes.readUInt8(99) ^ 4, 99);
    await writeFile(bundle, bytes);
    expect(await verify(directory)).toMatchObject({
      exitCode: 1,
      logs: [{ entries: 300_000 - 256, wrong: ['tile/entries/x001/100 does not hash to tile/0/x001/100'] }],
    });
  }, 60_000);

  test.each([
    [['--log', '/nowhere/at-all'], 'cannot read /nowhere/at-all', 1],
    [['--log', 'test/cli'], 'there is no log in test/cli', 1],
    [['--log', 'test/cli', '--bundle', 'x'], 'two things to verify', 2],
    [['--log', 'test/cli', '--full'], '--full is for the published logs', 2],
    [['--bundle', 'x', '--seen', 'y'], '--seen is for a copy', 2],
    [['--log', 'test/cli', '--witness', 'x'], 'the verifier key is not well formed', 1],
    [['--seen', 'y'], 'Add --bundle <file> or --log <directory>', 2],
  ] as const)('with %j says what it wants', async (words, says, code) => {
    const { stderr, exitCode } = await run(
      'audit',
      'verify',
      ...words,
      ...(words.length > 2 || words[0] === '--log' ? ['--key', await keyOf(1)] : []),
    );
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining(says), exitCode: code });
  });

  test('wants a key that did not come with the copy', async () => {
    const { stderr, exitCode } = await run('audit', 'verify', '--log', await copyOf('keyless', log));
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringContaining('must not come with the copy'), exitCode: 2 });
  });
});
