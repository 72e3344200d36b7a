import { join } from 'node:path';
import { codeblue } from '../../audit/command-line.ts';
import type { AuditStage } from './stage.ts';

/** Writes a proof with the command line, in a process of its own. @param words which events, as `codeblue audit prove` takes them @returns the file */
export async function proofFile({ world }: AuditStage, name: string, words: readonly string[]): Promise<string> {
  const out = join(world.regions.dir, `${name}.tlog-proof`);
  await codeblue(['audit', 'prove', ...words, '--out', out, '--force', '--lab', world.regions.dir], { mayFail: false });
  return out;
}

/** What a process in an empty directory says that has the proof and the keys and nothing else. @param words further ones of `codeblue audit verify` */
export async function verified(file: string, keys: string, words: readonly string[] = []) {
  const { json } = await codeblue(['audit', 'verify', '--bundle', file, '--key-file', keys, ...words, '--json'], { mayFail: true });
  const { holds = false, proofs = [] } = json ?? {};
  return {
    holds,
    proofs: proofs.length,
    bodies: proofs.filter(({ body }) => body !== undefined).length,
    checkpoints: new Set(proofs.map(({ checkpoint }) => JSON.stringify(checkpoint))).size,
  };
}
