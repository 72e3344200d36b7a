import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * PostgreSQL's processes, found from outside. Everything here is synchronous and needs nothing but Node, because it also
 * runs in the last moments of a dying process and in the reaper.
 */
interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly argv: readonly string[];
}

/** Processes that PostgreSQL's programs run as with a data directory below `dir`, and everything they started. Parents come first. */
export function processesUnder(dir: string): readonly { readonly pid: number; readonly root: boolean }[] {
  const all = listProcesses();
  const named = all.filter(({ argv }) => isPostgresOn(argv, dir));
  // A process that was forked a moment ago still bears the words of its server.
  const servers = new Set(named.map(({ pid }) => pid));
  const found = new Map(named.map(({ pid, parent }) => [pid, !servers.has(parent)]));
  for (let grew = true; grew; ) {
    const children = all.filter(({ pid, parent }) => found.has(parent) && !found.has(pid));
    for (const { pid } of children) found.set(pid, false);
    grew = children.length > 0;
  }
  return [...found].map(([pid, root]) => ({ pid, root }));
}

function isPostgresOn(argv: readonly string[], dir: string): boolean {
  if (!/(^|[\\/])(postgres|initdb)(\.exe)?"?$/.test(argv[0] ?? '')) return false;
  return argv.some((word) => word.replace(/^--pgdata=/, '').startsWith(dir));
}

function listProcesses(): readonly Process[] {
  if (process.platform === 'linux') return readdirSync('/proc').flatMap(linuxProcess);
  if (process.platform === 'win32') return windowsProcesses();
  const { stdout } = spawnSync('ps', ['-axww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8', maxBuffer: 64 << 20 });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), argv: splitCommand(command) }];
  });
}

function linuxProcess(entry: string): readonly Process[] {
  if (!/^\d+$/.test(entry)) return [];
  try {
    // The second field, the name in parentheses, may hold spaces and parentheses: count from the last one.
    const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return [];
    const argv = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
    return [{ pid: Number(entry), parent: Number(parent), argv }];
  } catch {
    return []; // It ended while we looked.
  }
}

/** Where only a line of text is known: the program, then what follows ` -D ` or `--pgdata=` up to the end (paths may hold spaces). */
function splitCommand(command: string): readonly string[] {
  const at = command.search(/ (-D |--pgdata=|--single )/);
  if (at < 0) return [command.split(' ')[0] ?? ''];
  const rest = command.slice(at + 1);
  return [command.slice(0, at), rest.replace(/^(--single )?-D /, '').replace(/^"/, '')];
}

function windowsProcesses(): readonly Process[] {
  const script =
    'Get-CimInstance Win32_Process | Where-Object { $_.CommandLine } | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) $($_.CommandLine)" }';
  const { stdout } = spawnSync('powershell', ['-NoProfile', '-Command', script], { encoding: 'utf8', maxBuffer: 64 << 20 });
  return (stdout ?? '').split(/\r?\n/).flatMap((line) => {
    const [, pid, parent, command] = /^(\d+) (\d+) (.*)$/.exec(line) ?? [];
    return command === undefined
      ? []
      : [{ pid: Number(pid), parent: Number(parent), argv: splitCommand(command.replace(/^"([^"]*)"/, '$1')) }];
  });
}

/** Sends a signal; a process that is gone is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone, or not ours any more.
  }
}

/** Whether that process still runs. One that ended but was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || linuxProcess(String(pid)).length > 0;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

const pause = (milliseconds: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/**
 * Ends every PostgreSQL process below `dir` and waits until none is left. First an immediate shutdown, which lets the server
 * give back its shared memory; whatever is left after `patienceMs` is killed.
 */
export function endProcessesUnder(dir: string, patienceMs = 3000): void {
  const roots = processesUnder(dir).filter(({ root }) => root);
  for (const { pid } of roots) {
    signal(pid, 'SIGCONT');
    signal(pid, 'SIGQUIT');
  }
  const giveUpAt = performance.now() + patienceMs;
  while (performance.now() < giveUpAt && processesUnder(dir).length > 0) pause(20);
  for (let round = 0; round < 100; round++) {
    const left = processesUnder(dir);
    if (left.length === 0) return;
    for (const { pid } of left) signal(pid, 'SIGKILL');
    pause(20);
  }
}

/** Kills one server and all its children at once, as a power cut would: nobody gets to clean up. */
export function killServer(dataDir: string): void {
  // Stopped first, so that the parent can neither react to a dying child nor start another while we look.
  for (const { pid, root } of processesUnder(dataDir)) if (root) signal(pid, 'SIGSTOP');
  // A process that is ending has lost its words before it has closed its sockets: it is waited for by its number.
  const killed = new Set<number>();
  for (let round = 0; round < 100; round++) {
    const left = processesUnder(dataDir);
    if (left.length === 0 && ![...killed].some(isAlive)) return;
    for (const { pid } of [...left].reverse()) {
      killed.add(pid);
      signal(pid, 'SIGKILL');
    }
    pause(5);
  }
}

/** Stops the clock of a server: connections stay open and nothing answers, as when a network or a disk hangs. */
export function freezeServer(dataDir: string): void {
  for (const { pid } of processesUnder(dataDir)) signal(pid, 'SIGSTOP');
}

export function thawServer(dataDir: string): void {
  for (const { pid } of [...processesUnder(dataDir)].reverse()) signal(pid, 'SIGCONT');
}
