import { fileURLToPath } from 'node:url';
import type { Region } from '../../functions/common/ids.ts';
import { ChildProgram } from './child-program.ts';

const script = fileURLToPath(new URL('./steady-sequencer.ts', import.meta.url));

/** A sequencer beside the deployed one, in a process of its own, with the config of the moment at which it began. */
export interface OtherSequencer {
  /** `audit.generation` of its config. */
  readonly config: number;
  /** Batches that it finished, by the generation of the log. */
  readonly finished: ReadonlyMap<number, number>;
  /** Why passes of it failed. */
  readonly failures: readonly string[];
  kill(): Promise<void>;
}

/** @throws LabUnavailable */
export async function startOtherSequencer(labDir: string, region: Region): Promise<OtherSequencer> {
  const finished = new Map<number, number>();
  const failures: string[] = [];
  const program = await ChildProgram.start(script, [labDir, region], (line) => {
    if (/^\d+$/.test(line)) finished.set(Number(line), (finished.get(Number(line)) ?? 0) + 1);
    else failures.push(line);
  });
  return { config: Number(program.ready), finished, failures, kill: () => program.kill() };
}
