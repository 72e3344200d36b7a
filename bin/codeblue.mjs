#!/usr/bin/env node
// Plain JavaScript without anything new in it, so that an old Node reaches the sentence below instead of a syntax error.
const wanted = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  console.error(
    `Codeblue needs Node ${wanted.join('.')} or later, because it runs its TypeScript directly; this is Node ${process.versions.node}.\n` +
      'Run it with npm run codeblue -- <command> (npm ci has installed a Node 24 for Linux and Windows here), or install Node 24 from nodejs.org.',
  );
  process.exitCode = 1;
} else {
  await import('./codeblue.ts');
}
