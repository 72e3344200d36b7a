import type { Command } from 'commander';
import { MisusedCommand } from './misused-command.ts';
import type { CliHost, DeploymentOptions } from './session.ts';
import type { Terminal } from './terminal.ts';

/** What the verbs are built over. `exitCode` is what a verb ended with: 1 when it found something wrong. */
export interface ProgramContext {
  readonly host: CliHost;
  /** Made from the parsed options, which say whether JSON is wanted. */
  terminal(json: boolean): Terminal;
  exitCode: number;
}

export interface GlobalOptions extends DeploymentOptions {
  readonly json: boolean;
}

/** The global options as given, with the newest lab as `true`. */
export function globalsOf(command: Command): GlobalOptions {
  const { lab, json = false, ...rest } = command.optsWithGlobals<Partial<GlobalOptions>>();
  return { ...rest, json, ...(lab === undefined ? {} : { lab: lab === '' ? true : lab }) };
}

export function print<T>(terminal: Terminal, result: T, render: (result: T) => string): void {
  terminal.out(terminal.json ? JSON.stringify(result, undefined, 2) : render(result));
}

/** Asks whether to do what was shown. @throws MisusedCommand where nobody can be asked */
export async function agreed(terminal: Terminal, host: CliHost): Promise<boolean> {
  if (terminal.isInteractive) return host.confirm('Do it?');
  throw new MisusedCommand('nobody can be asked here whether to do it', { hint: 'Add --yes when the plan is right.' });
}
