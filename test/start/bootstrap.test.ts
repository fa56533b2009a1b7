import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import test from "node:test";
import { folderForTest } from "./folder-for-test.ts";

const root = resolve(import.meta.dirname, "../..");
const bootstrap = join(root, "infra/start/bootstrap.mjs");

/** Runs `code` as TypeScript through the bootstrap, in a process group of its own. */
function boot(
  context: test.TestContext,
  code: string,
  args: string[] = [],
): ChildProcess & { said: Promise<string> } {
  const script = join(folderForTest(context), "program.ts");
  writeFileSync(script, code);
  const env = { ...process.env };
  delete env.npm_lifecycle_event;
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, [bootstrap, script, ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  context.after(() => child.kill("SIGKILL"));
  return Object.assign(child, { said: text(child.stdout) });
}

test("the program gets its arguments and our tools on PATH, and its exit code comes through", async (context) => {
  const child = boot(
    context,
    `const words: string[] = process.argv.slice(2);
     console.log(words.join("|"), process.env.PATH?.split(":")[0]);
     process.exitCode = 7;`,
    ["a b", "--c"],
  );
  const [code] = await once(child, "exit");
  assert.equal(code, 7);
  assert.equal(await child.said, `a b|--c ${join(root, "node_modules/.bin")}\n`);
});

const COUNTING = `
  let count = 0;
  process.on("SIGINT", () => { count += 1; console.log("int"); });
  process.on("SIGTERM", () => { console.log("count " + count); process.exit(0); });
  setInterval(() => {}, 1000);
  console.log("up");`;

test("Ctrl-C at a terminal, repeated by npm, reaches the program once", async (context) => {
  const child = boot(context, COUNTING);
  await once(child.stdout as NodeJS.ReadableStream, "data");
  // The terminal's goes to the whole group, npm's to its child, a moment later: at once the two would be one.
  process.kill(-(child.pid as number), "SIGINT");
  await once(child.stdout as NodeJS.ReadableStream, "data");
  child.kill("SIGINT");
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  assert.equal(await child.said, "up\nint\ncount 1\n");
});

test("a program that dies of a signal is seen to", async (context) => {
  const child = boot(context, 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
});

test("when the bootstrap is killed the program hears of it", async (context) => {
  const orphan = join(root, "infra/start/orphan.ts");
  const child = boot(
    context,
    `import { whenOrphaned } from ${JSON.stringify(orphan)};
     whenOrphaned(() => { console.log("alone"); process.exit(0); });
     setInterval(() => {}, 1000);
     console.log("up");`,
  );
  await once(child.stdout as NodeJS.ReadableStream, "data");
  child.kill("SIGKILL");
  assert.equal(await child.said, "up\nalone\n");
});

test("listening for that keeps no program alive", async (context) => {
  const orphan = join(root, "infra/start/orphan.ts");
  const child = boot(
    context,
    `import { whenOrphaned } from ${JSON.stringify(orphan)};
     whenOrphaned(() => {});`,
  );
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
