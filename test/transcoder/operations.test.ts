import assert from "node:assert/strict";
import { test } from "node:test";
import { oneAtATime } from "../../transcoder/operations.ts";

test("who asks while a dependency is being checked waits for that check, and the next begins anew", async () => {
  const checks = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let begun = 0;
  const { name, check } = oneAtATime({ name: "ffmpeg", check: () => checks[begun++]!.promise });
  assert.equal(name, "ffmpeg");
  const asked = [check(), check()];
  assert.equal(begun, 1);
  checks[0]!.reject(new Error("lacks aac"));
  for (const one of asked) await assert.rejects(one, /lacks aac/);
  const later = [check(), check()];
  assert.equal(begun, 2);
  checks[1]!.resolve("makes h264");
  assert.deepEqual(await Promise.all(later), ["makes h264", "makes h264"]);
});
