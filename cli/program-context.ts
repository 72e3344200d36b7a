import type { Command } from 'commander';
import type { Ports } from '../functions/common/ports.ts';
import { MisusedCommand } from './misused-command.ts';
import type { CliHost, DeploymentOptions, Session } from './session.ts';
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

/** What a verb has once its deployment is open. */
export interface Opened<N extends keyof Ports> {
  readonly session: Session<N>;
  readonly terminal: Terminal;
  /** Who stands before it, as approvals name people. */
  principal(): Promise<string>;
  /** The result: text, or JSON where that is wanted. */
  show<T>(result: T, render: (result: T) => string): void;
  /** Shows what would be done and asks. False, with the exit code of it, when the answer is no. @throws MisusedCommand where nobody can be asked */
  mayDo(plan: string, options: { readonly yes?: boolean | undefined }): Promise<boolean>;
}

/** Opens the deployment in the Region that leads, for a verb that needs these ports. */
export const openForVerb = async <N extends keyof Ports>(
  context: ProgramContext,
  command: Command,
  ports: readonly N[],
): Promise<Opened<N>> => openedBy(context, command, (globals) => context.host.open(globals, ports));

/** Opens it in any Region whose coordination table answers: for what must work while the Region that leads is dead. */
export const openWhereAnswered = async <N extends keyof Ports>(
  context: ProgramContext,
  command: Command,
  ports: readonly N[],
): Promise<Opened<N>> => openedBy(context, command, (globals) => context.host.openWhereAnswered(globals, ports));

async function openedBy<N extends keyof Ports>(
  context: ProgramContext,
  command: Command,
  open: (globals: GlobalOptions) => Promise<Session<N>>,
): Promise<Opened<N>> {
  const globals = globalsOf(command);
  const terminal = context.terminal(globals.json);
  const session = await open(globals);
  return {
    session,
    terminal,
    principal: () => context.host.principal(globals, session.region),
    show: (result, render) => print(terminal, result, render),
    async mayDo(plan, { yes = false }) {
      if (!terminal.json) terminal.note(plan);
      if (yes || (await agreed(terminal, context.host))) return true;
      terminal.note('Nothing was done.');
      context.exitCode = 1;
      return false;
    },
  };
}

export function print<T>(terminal: Terminal, result: T, render: (result: T) => string): void {
  terminal.out(terminal.json ? JSON.stringify(result, undefined, 2) : render(result));
}

/** Asks whether to do what was shown. @throws MisusedCommand where nobody can be asked */
async function agreed(terminal: Terminal, host: CliHost): Promise<boolean> {
  if (terminal.isInteractive) return host.confirm('Do it?');
  throw new MisusedCommand('nobody can be asked here whether to do it', { hint: 'Add --yes when the plan is right.' });
}
