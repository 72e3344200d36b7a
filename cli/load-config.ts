import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseOperations } from '../config/define-operations.ts';
import { CodeblueError, InvalidInput, messageOf } from '../functions/common/errors.ts';
import type { Operations } from '../functions/common/operations.ts';

const defaultConfig = 'codeblue.config.ts';

/**
 * The deployment that a config file describes: its default export, checked again because a file may export anything.
 *
 * @throws InvalidInput when there is no such file or it does not load, InvalidConfig when what it exports is wrong
 */
export async function loadConfig(file: string | undefined, directory: string): Promise<Operations> {
  const path = resolve(directory, file ?? defaultConfig);
  await access(path).catch((cause: unknown) => {
    throw new InvalidInput(`there is no config at ${path}`, {
      hint:
        file === undefined
          ? `Run codeblue where ${defaultConfig} is, or name a file with --config.`
          : 'Name an existing file with --config.',
      cause,
    });
  });
  const loaded: unknown = await import(pathToFileURL(path).href, path.endsWith('.json') ? { with: { type: 'json' } } : undefined).catch(
    (cause: unknown) => {
      if (cause instanceof CodeblueError) throw cause;
      throw new InvalidInput(`the config ${path} does not load: ${messageOf(cause)}`, {
        hint: 'Mend the file; npx tsc -p . shows where.',
        cause,
      });
    },
  );
  if (typeof loaded !== 'object' || loaded === null || !('default' in loaded)) {
    throw new InvalidInput(`the config ${path} exports nothing by default`, {
      hint: 'It must end in: export default defineOperations({ ... });',
    });
  }
  return parseOperations(loaded.default);
}
