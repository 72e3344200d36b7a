import { runCli } from '../../cli/run.ts';
import type { CliHost } from '../../cli/session.ts';
import { checkLogFreshness } from '../../functions/backup/check-log-freshness.ts';
import { expireRecoveryPoints } from '../../functions/backup/expire-recovery-points.ts';
import { InvalidInput, NotFound } from '../../functions/common/errors.ts';
import { Region } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { AccountFacts } from '../../functions/doctor/ports.ts';
import { type ManualClock, manualClock } from '../../functions/memory/clock.ts';
import { type MemoryPortsSettings, memoryPorts } from '../../functions/memory/ports.ts';
import { testOperations } from './operations.ts';

export interface CliWorldSettings {
  readonly operations?: Operations;
  readonly ports?: (clock: ManualClock, operations: Operations) => Omit<MemoryPortsSettings, 'operations' | 'clock'>;
  readonly host?: Partial<CliHost>;
  readonly account?: AccountFacts;
  readonly isTTY?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** A command line over a deployment in memory, with what it printed and how it ended. */
export function cliWorld({
  operations = testOperations(),
  ports: given,
  host = {},
  account,
  isTTY = false,
  env = {},
}: CliWorldSettings = {}) {
  const clock = manualClock('2026-11-21T12:00:00.000Z');
  const ports = memoryPorts({ operations, clock, ...given?.(clock, operations) });
  const opened: unknown[] = [];
  const files = new Map<string, string>();
  async function run(...argv: string[]) {
    const written = { stdout: '', stderr: '' };
    const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text), isTTY });
    const open: CliHost['open'] = async (options) => {
      opened.push(options);
      return { ports, operations, clock, region: Region.parse(options.region ?? operations.regions.primary) };
    };
    const all: CliHost = {
      operator: 'alice',
      version: '1.2.3',
      open,
      openWhereAnswered: open,
      principal: async () => 'alice',
      openForDoctor: async () => ({ operations, clock, ...(account ? { account: { facts: account, databases: ports.databases } } : {}) }),
      tasks: async () => [expireRecoveryPoints, checkLogFreshness],
      runLab: async () => 0,
      async readFile(path) {
        const text = files.get(path);
        if (text === undefined) throw new NotFound(path);
        return text;
      },
      async writeFile(path, chunks, { replace }) {
        if (files.has(path) && !replace) throw new InvalidInput(`${path} is there already`);
        let text = '';
        for await (const chunk of chunks) text += chunk;
        files.set(path, text);
      },
      confirm: async () => false,
      ...host,
    };
    const exitCode = await runCli(argv, all, { stdout: stream('stdout'), stderr: stream('stderr'), env }); // colours and prompts follow isTTY
    return { ...written, exitCode };
  }
  return { run, ports, clock, operations, opened, files };
}
