import { CommanderError } from 'commander';
import { CodeblueError } from '../functions/common/errors.ts';
import { labArguments, withPlainLabOption } from './arguments.ts';
import { MisusedCommand } from './misused-command.ts';
import { buildProgram } from './program.ts';
import type { ProgramContext } from './program-context.ts';
import type { CliHost } from './session.ts';
import { type Streams, terminalOn } from './terminal.ts';

const reportUrl = 'the issue tracker of this repository';

/**
 * Runs one command line.
 *
 * @param argv the words after the program's name
 * @returns the exit code: 0 all is well, 1 something is wrong, 2 the command was not understood
 */
export async function runCli(argv: readonly string[], host: CliHost, streams: Streams): Promise<number> {
  const json = argv.includes('--json');
  const context: ProgramContext = { host, exitCode: 0, terminal: (wantsJson) => terminalOn(streams, wantsJson) };
  try {
    const forLab = labArguments(argv);
    if (forLab) return await host.runLab(forLab);
    const program = buildProgram(context);
    const output = {
      writeOut: (text: string) => void streams.stdout.write(text),
      writeErr: (text: string) => void streams.stderr.write(text),
    };
    for (const command of [program, ...program.commands, ...program.commands.flatMap((each) => each.commands)]) {
      command.configureOutput(output).exitOverride();
    }
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(withPlainLabOption(argv), { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return tell(error, streams, json, argv.includes('--debug'));
  }
}

function tell(error: unknown, streams: Streams, json: boolean, debug: boolean): number {
  // Commander has printed what it has to say: help, version, or the usage error with its suggestion.
  const terminal = terminalOn(streams, json);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (json)
      terminal.out(JSON.stringify({ error: { name: 'MisusedCommand', message: error.message.replace(/^error: /, '') } }, undefined, 2));
    return 2;
  }
  const known = error instanceof CodeblueError;
  const name = error instanceof Error ? error.name : 'Error';
  const message = error instanceof Error ? error.message : String(error);
  const hint = known
    ? error.hint
    : `This should not happen. Please report it at ${reportUrl} with the command${debug ? ' and the lines above' : ', and run it again with --debug for where it came from'}.`;
  if (json) terminal.out(JSON.stringify({ error: { name, message, hint } }, undefined, 2));
  terminal.note(`${terminal.colours.red('error:')} ${known ? message : `${name}: ${message}`}`);
  if (!known && debug && error instanceof Error && error.stack) terminal.note(error.stack);
  if (hint !== undefined) terminal.note(hint);
  return error instanceof MisusedCommand ? 2 : 1;
}
