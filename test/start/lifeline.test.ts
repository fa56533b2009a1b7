import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { test } from "node:test";
import { allGone, descendants } from "../rig/processes.ts";

test("a product that a test or a bench has started goes with it, kill -9 included", async (context) => {
  const holder = spawn(process.execPath, [resolve("test/rig/product-holder.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  const started = descendants(holder.pid as number);
  const programs = started.filter(({ parent }) => parent === holder.pid);
  // API, edge and transcoder: an empty list would be gone at once.
  context.assert.equal(programs.length, 3);
  holder.kill("SIGKILL");
  await allGone(started, 60);
});
