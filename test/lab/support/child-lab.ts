import { DatabaseId, Region } from '../../../functions/common/ids.ts';
import { pgServer } from '../../../functions/common/pg-server.ts';
import { startRegions } from '../../../lab/start.ts';

/**
 * A lab in a process of its own, to be ended from outside. Says each stage it reaches on a line of standard output.
 * Arguments: directory for labs, and what to do: `stay`, `stop` once it runs, `throw` or `exit` while data is loaded.
 */
const [baseDir = '', then = 'stay'] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { regions, stop } = await startRegions({
  baseDir,
  deployment: 'child',
  databaseId: DatabaseId.parse('hms'),
  regions: { primary: Region.parse('us-east-1'), standby: Region.parse('us-west-2'), tertiary: Region.parse('eu-west-1') },
  seed: 1,
  onProgress: ({ says }) => say(says),
  load: async ({ admin }) => {
    say('loading');
    if (then === 'exit') process.exit(7);
    if (then === 'throw') {
      setImmediate(() => {
        throw new Error('nobody caught this');
      });
    }
    const session = await pgServer(admin).connect('postgres');
    await session.query('CREATE DATABASE hospital');
    await session.close();
    return ['hospital'];
  },
}).catch((error: Error & { hint?: string }) => {
  process.stderr.write(`${error.name}: ${error.message}. ${error.hint ?? ''}\n`);
  process.exit(1);
});
say(`running in ${regions.dir}`);
if (then === 'stop') {
  await stop();
  say('stopped');
} else {
  setInterval(() => {}, 60_000);
}
