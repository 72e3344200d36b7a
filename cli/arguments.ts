/** What a `--lab` on the command line was followed by, made plain for the parser. */

/** A directory is written with a slash or begins with a dot, so that `--lab status` is the verb and not a directory. */
const isDirectory = (word: string | undefined): word is string =>
  word !== undefined && (/[\\/]/.test(word) || /^\.{1,2}$/.test(word)) && !word.startsWith('-');

/** `--lab ./dir` becomes `--lab=./dir`; `--lab` alone becomes `--lab=` and the word after it stays what it is. */
export function withPlainLabOption(argv: readonly string[]): string[] {
  const plain: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    const next = argv[index + 1];
    if (word !== '--lab') plain.push(word);
    else if (isDirectory(next)) {
      plain.push(`--lab=${next}`);
      index++;
    } else plain.push('--lab=');
  }
  return plain;
}

/** The words after `lab`, and the ones before it: the lab has options of its own. Undefined when the verb is another. */
export function labArguments(argv: readonly string[]): readonly string[] | undefined {
  const verb = argv.findIndex((word) => !word.startsWith('-'));
  return argv[verb] === 'lab' ? [...argv.slice(0, verb), ...argv.slice(verb + 1)] : undefined;
}
