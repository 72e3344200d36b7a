import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { EventId } from '../../functions/audit/events/event.ts';
import { proveEvents } from '../../functions/audit/proof/prove.ts';
import type { Region } from '../../functions/common/ids.ts';
import { LabUnavailable } from '../errors.ts';
import type { AuditWorld } from './world.ts';

const program = fileURLToPath(new URL('../../bin/codeblue.mjs', import.meta.url));

/** What `audit verify --bundle --json` prints, as far as it is looked at. */
const Verified = z.looseObject({
  holds: z.boolean(),
  proofs: z.array(z.looseObject({ body: z.unknown().optional(), checkpoint: z.unknown().optional() })),
});

/**
 * Runs the command line in a process of its own, in an empty directory and without anything of this environment but the path.
 *
 * @throws LabUnavailable when it fails and may not
 */
export async function codeblue(
  words: readonly string[],
  { mayFail }: { readonly mayFail: boolean },
): Promise<{ readonly status: number | null; readonly json: z.output<typeof Verified> | undefined }> {
  const cwd = mkdtempSync(join(tmpdir(), 'codeblue-auditor-'));
  try {
    const child = spawn(process.execPath, [program, ...words], {
      cwd,
      env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, TMPDIR: process.env.TMPDIR, HOME: cwd },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said, complained]: [string[], string[]] = [[], []];
    child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => complained.push(text));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (status !== 0 && !mayFail)
      throw new LabUnavailable(`codeblue ${words.join(' ')} ended with ${status}`, { hint: complained.join('').slice(0, 2000) });
    return { status, json: words.includes('--json') ? parsed(said.join('')) : undefined };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function parsed(text: string): z.output<typeof Verified> | undefined {
  try {
    return Verified.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Objects of the log that proving one event reads, and their bytes. */
export async function countReads(
  world: AuditWorld,
  region: Region,
  eventId: string,
): Promise<{ readonly reads: number; readonly bytes: number }> {
  const { operations } = world.lab;
  const { auditObjects, ...ports } = world.lab.ports(region);
  let [reads, bytes] = [0, 0];
  const counting = {
    async get(of: Region, path: string) {
      const object = await auditObjects.get(of, path);
      reads += 1;
      bytes += object?.length ?? 0;
      return object;
    },
  };
  await proveEvents([{ region, eventId: EventId.parse(eventId) }], { ...ports, operations, region, auditObjects: counting });
  return { reads, bytes };
}
