import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DatabaseId, Region } from '../functions/common/ids.ts';
import { linkKinds } from './network/faults.ts';

const Port = z.int().min(1).max(65535);
const Account = z.strictObject({ user: z.string(), password: z.string() });

/** `state.json`: what another process must know to use a running lab. Holds passwords, so only its owner may read it. */
export const LabState = z.strictObject({
  format: z.literal('codeblue-lab/1'),
  /** The process that started the lab and will stop it. */
  pid: z.int().positive(),
  startedAt: z.iso.datetime(),
  /** Name of the deployment: everything that the lab makes carries it as its owner tag. */
  deployment: z.string(),
  seed: z.int(),
  databaseId: DatabaseId,
  /** Databases inside the server. */
  databaseNames: z.array(z.string()).min(1),
  regions: z
    .array(
      z.strictObject({ name: Region, role: z.enum(['primary', 'standby', 'tertiary']), port: Port.optional(), httpPort: Port.optional() }),
    )
    .length(3),
  /** Ways between regions that can be broken; none in a lab that breaks nothing. */
  links: z.array(z.strictObject({ from: Region, to: Region, kind: z.enum(linkKinds), port: Port })),
  accounts: z.strictObject({
    /** The superuser. */
    admin: Account,
    /** Codeblue's own role, as docs/operations.md grants it on RDS. */
    codeblue: Account,
    /** The hospital's software: owns the tables. */
    application: Account,
    replication: Account,
  }),
});
export type LabState = z.output<typeof LabState>;
export type AccountName = keyof LabState['accounts'];

const fileIn = (dir: string): string => join(dir, 'state.json');

export function writeState(dir: string, state: LabState): void {
  const partial = `${fileIn(dir)}.partial`;
  writeFileSync(partial, `${JSON.stringify(LabState.parse(state), null, 2)}\n`, { mode: 0o600 });
  renameSync(partial, fileIn(dir));
}

/** Undefined when there is none, or none that this version understands. */
export function readState(dir: string): LabState | undefined {
  try {
    return LabState.parse(JSON.parse(readFileSync(fileIn(dir), 'utf8')));
  } catch {
    return undefined;
  }
}
