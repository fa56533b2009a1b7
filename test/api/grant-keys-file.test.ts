import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { watchGrantKeys } from "../../stores/grant-key-watch.ts";
import { installationToken, openTestApi, publishedMovie } from "./api-for-test.ts";

test("the API signs with the first key of its file that was not revoked, from when on it says so (T32)", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "matinee-api-keys-"));
  const file = join(folder, "grant-keys");
  const keys = Object.fromEntries(["f1", "f2", "f3"].map((kid) => [kid, randomBytes(32).toString("hex")]));
  const write = (...kids: string[]) => writeFile(file, kids.map((kid) => `${kid}:${keys[kid]}`).join(","));
  await write("f1");
  const api = await openTestApi("grant-keys-file");
  const { revoker, log, config } = api.deps;
  // As the process does.
  const watch = await watchGrantKeys({ file, log, onKeys: revoker.takeKeys });
  revoker.takeKeys(watch.keys());
  context.after(async () => {
    watch.close();
    await rm(folder, { recursive: true });
  });
  const { titleId } = await publishedMovie(api, "alpha");
  const signedBy = async (): Promise<string | number> => {
    const { status, body } = await api.as("alpha", "viewer")("POST", "/v1/playback", { titleId });
    return status === 201 ? (body.manifestUrl.split("/v/")[1].split(".")[1] as string) : status;
  };
  assert.equal(await signedBy(), "f1");
  for (const [kids, signer] of [
    [["f1", "f2"], "f1"],
    [["f2", "f1"], "f2"],
    [["f2"], "f2"],
  ] as const) {
    await write(...kids);
    await watch.look();
    assert.equal(await signedBy(), signer);
    assert.deepEqual(
      config.grantKeys.map(({ kid }) => kid),
      kids,
    );
  }
  const Authorization = `Bearer ${await installationToken(api, "admin")}`;
  const revoke = async (kid: string) => {
    const answer = await api.request(`/v1/grant-keys/${kid}/revoke`, {
      method: "POST",
      headers: { Authorization },
    });
    return answer.status;
  };
  assert.equal(await revoke("f3"), 404, "not one of ours yet");
  assert.equal(await revoke("f2"), 200);
  assert.equal(await signedBy(), 503);
  // It still stands in the file: that makes it no better.
  await write("f2", "f3");
  await watch.look();
  assert.equal(await signedBy(), "f3");
  assert.deepEqual([await revoke("f1"), await revoke("f3")], [200, 200], "those of before, and new ones");
});
