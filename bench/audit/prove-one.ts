/** `node prove-one.ts <directory>`: what proving entries of a log reads; part of bench/audit.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNote } from '../../functions/audit/log/checkpoint.ts';
import { inclusionProof } from '../../functions/audit/log/proofs.ts';

const [, , dir] = process.argv;
if (!dir) throw new TypeError('usage: prove-one.ts <directory>');
const log = join(dir, '1');
const note = readFileSync(join(log, 'checkpoint'), 'utf8');
const { size } = openNote(note, readFileSync(join(log, 'verifier-key'), 'utf8').trim());
/** A prime number of them, spread over the log. */
const PROOFS = 997;
let most = { objects: 0, bytes: 0, hashes: 0 };
const began = performance.now();
for (let proof = 0; proof < PROOFS; proof += 1) {
  const read = new Map<string, number>();
  const hashes = await inclusionProof(
    async (path) => {
      try {
        const bytes = readFileSync(join(log, path));
        read.set(path, bytes.length);
        return bytes;
      } catch {
        return undefined;
      }
    },
    Math.floor((proof * size) / PROOFS),
    size,
  );
  const bytes = note.length + [...read.values()].reduce((sum, each) => sum + each, 0);
  if (read.size + 1 > most.objects || bytes > most.bytes)
    most = {
      objects: Math.max(most.objects, read.size + 1),
      bytes: Math.max(most.bytes, bytes),
      hashes: Math.max(most.hashes, hashes.length),
    };
}
const milliseconds = (performance.now() - began) / PROOFS;
const log2 = Math.ceil(Math.log2(size));
const says = `at most ${most.objects} objects read, the checkpoint included, ${most.bytes} bytes, ${most.hashes} hashes in it (objective: at most ${log2}, the height of the tree), ${milliseconds.toFixed(2)} ms`;
console.log(JSON.stringify({ seconds: milliseconds / 1000, says }));
