import pc from 'picocolors';

type Colours = ReturnType<typeof pc.createColors>;

/** Where words go. Results go to standard output, everything about how they came to be goes to standard error. */
export interface Terminal {
  /** A part of the result. */
  out(text: string): void;
  /** A line beside the result: progress, hints, errors. */
  note(line: string): void;
  readonly colours: Colours;
  /** True when a person watches progress: both streams go to a terminal. */
  readonly isInteractive: boolean;
  /** True when standard output is to hold one JSON document and nothing else. */
  readonly json: boolean;
}

export interface Streams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colours only on a terminal, and never with NO_COLOR set (no-color.org) or with --json. */
export function terminalOn({ stdout, stderr, env }: Streams, json: boolean): Terminal {
  const wantsColour = !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    out: (text) => void stdout.write(text.endsWith('\n') ? text : `${text}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    colours: pc.createColors(wantsColour && stdout.isTTY === true && !json),
    isInteractive: stdout.isTTY === true && stderr.isTTY === true && !json,
    json,
  };
}
