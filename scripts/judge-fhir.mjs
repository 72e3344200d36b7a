#!/usr/bin/env node
/**
 * `npm run judge:fhir`: HL7's validator judges what the audit log exports as FHIR: every resource against FHIR R4 (4.0.1) and against the profile of IHE BALP that it
 * claims. The validator is the one of HL7 (org.hl7.fhir.validation, with the definitions of R4) from Maven Central, pinned in scripts/fhir/pom.xml; the BALP profiles are
 * those of scripts/fhir/balp-profiles.ts, written after the published guide. It needs Java and Maven; where one of them is missing it says so and ends with 1. Resources
 * that are damaged on purpose must all be refused: a judge that takes everything is none.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportFhirBundle, exportFhirNdjson } from '../functions/audit/export/fhir.ts';
import { balpDefinitions } from './fhir/balp-profiles.ts';
import { damagedResources, judgedEvents } from './fhir/judged-events.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pom = join(root, 'scripts', 'fhir', 'pom.xml');
const version = /<artifactId>hapi-fhir-validation<\/artifactId><version>([^<]+)</.exec(readFileSync(pom, 'utf8'))?.[1];
const jars = join(root, 'node_modules', '.cache', `judge-fhir-${version}`);
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

function giveUp(reason) {
  console.error(`judge:fhir cannot run: ${reason}`);
  console.error(
    'It needs Java 17 or later with its compiler, and Maven for the validator that scripts/fhir/pom.xml pins; npm test does not.',
  );
  process.exit(1);
}

function findValidator() {
  if (spawnSync('java', ['-version']).status !== 0) giveUp('there is no java.');
  if (existsSync(join(jars, `hapi-fhir-validation-${version}.jar`))) return;
  if (spawnSync('mvn', ['-v'], { shell: process.platform === 'win32' }).status !== 0)
    giveUp('there is no mvn to fetch the validator with.');
  console.error(`Fetching HL7's validator (hapi-fhir-validation ${version}) ...`);
  mkdirSync(jars, { recursive: true });
  const fetched = spawnSync('mvn', ['-q', '-B', '-f', pom, copyDependencies, `-DoutputDirectory=${jars}`], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (fetched.status === 0) return;
  rmSync(jars, { recursive: true, force: true });
  giveUp('Maven cannot fetch it.');
}

async function* each(events) {
  yield* events;
}

async function text(parts) {
  let whole = '';
  for await (const part of parts) whole += part;
  return whole;
}

/** @returns one object for each message, with the number of the resource in its file */
function judge(directory, files) {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  writeFileSync(join(directory, 'definitions.json'), JSON.stringify(balpDefinitions()));
  const given = ['definitions.json', ...Object.keys(files)].map((name) => join(directory, name));
  const classPath = `${jars}${delimiter === ';' ? '\\*' : '/*'}`;
  const ran = spawnSync('java', ['-cp', classPath, join(root, 'scripts', 'fhir', 'JudgeFhir.java'), ...given], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (ran.status !== 0) giveUp(`the validator ended with ${ran.status}: ${ran.stderr.slice(-2000)}`);
  return ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [path, number, severity, place, message] = line.split('\t');
      return {
        file: path.slice(directory.length + 1),
        number: Number(number),
        isError: severity === 'error' || severity === 'fatal',
        place,
        message,
      };
    });
}

findValidator();
const directory = mkdtempSync(join(tmpdir(), 'codeblue-judge-fhir-'));
try {
  const events = judgedEvents();
  const damaged = damagedResources();
  const messages = judge(directory, {
    'export.ndjson': await text(exportFhirNdjson(each(events))),
    'bundle.json': await text(exportFhirBundle(each(events.slice(0, 20)), '2026-11-21T08:00:00.000Z')),
    'damaged.ndjson': `${damaged.map(({ resource }) => JSON.stringify(resource)).join('\n')}\n`,
  });
  const wrong = messages.filter(({ file, isError }) => isError && file !== 'damaged.ndjson');
  for (const { file, number, place, message } of wrong) console.error(`${file}, resource ${number}, ${place}: ${message}`);
  const taken = damaged.filter(
    (_, index) => !messages.some(({ file, number, isError }) => isError && file === 'damaged.ndjson' && number === index + 1),
  );
  for (const { says } of taken) console.error(`${says} was taken, and must be refused`);
  console.error(
    `HL7's validator (${version}): ${events.length} AuditEvents and a Bundle against FHIR R4 and IHE BALP, ${wrong.length} errors; ` +
      `${damaged.length - taken.length} of ${damaged.length} damaged ones refused`,
  );
  process.exitCode = wrong.length + taken.length === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
