import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { openDerivedTexts } from "../../api/derived-texts.ts";
import { openDevicePlaylists, WHOLE } from "../../api/device-playlists.ts";
import { openStoredTexts } from "../../api/stored-texts.ts";
import { deviceOf } from "../../core/device.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { openLog } from "../../stores/log.ts";
import { eventually } from "../rig/processes.ts";
import { wireToStore } from "../stores/wire-to-store.ts";
import { configForTest } from "./api-for-test.ts";

const variant = (height: number) => [
  `#EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1,CODECS="avc1.64001f",RESOLUTION=${height}x${height}`,
  `video/${height}p/media.m3u8`,
];
const MASTER = ["#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS", "", ...variant(720), ...variant(360), ""].join(
  "\n",
);

const wire = await wireToStore();
const blobs = openBlobs({ ...configForTest("device-playlists").blobs, endpoint: wire.endpoint });
await blobs.ensureBuckets({ corsOrigins: [] });
after(() => {
  blobs.close();
  wire.close();
});

/** What one process of the API has. */
function playlistsOf(isSteered: boolean) {
  const derived = openDerivedTexts({ blobs, texts: openStoredTexts(blobs) });
  return openDevicePlaylists({ derived, isSteered, log: openLog({ name: "test", level: "silent" }) });
}

async function storedPackage() {
  const [_id, generation] = [`as_${randomBytes(6).toString("hex")}`, randomBytes(10).toString("hex")];
  const put = (path: string, text: string) =>
    blobs.put("media", `${_id}/${generation}/${path}`, gzipSync(text), { contentType: "text/plain" });
  await Promise.all([put("main.m3u8", MASTER), put("main.mpd", "<MPD/>\n")]);
  return { _id, published: { generation, at: new Date(), durationSeconds: 1 } };
}

const upTo = (maxHeight: number) => deviceOf({ maxHeight }, null);

test("devices that get the same cost the store nothing more, and each process finds what another one made", async () => {
  const playlists = playlistsOf(true);
  const film = await storedPackage();
  const first = await playlists(film, upTo(480));
  assert.match(first.hls, /^main-[0-9a-f]{16}\.m3u8$/);
  const { bytes } = wire.state;
  assert.deepEqual(await playlists(film, upTo(400)), first);
  assert.equal(wire.state.bytes, bytes, "nothing was asked of the store");
  assert.notEqual((await playlists(film, deviceOf({}, null))).hls, first.hls);
  assert.deepEqual(await playlistsOf(true)(film, upTo(480)), first);
  const { hls } = await playlistsOf(false)(film, upTo(480));
  assert.notEqual(hls, first.hls, "without a steering server it is another one");
});

test("a store that is silent holds nobody up, and once it answers a film has its own again", async () => {
  const playlists = playlistsOf(true);
  const film = await storedPackage();
  wire.silence(true);
  assert.deepEqual(await playlists(film, upTo(480)), WHOLE);
  assert.deepEqual(await playlists(film, upTo(480)), WHOLE);
  wire.silence(false);
  await eventually(
    "the film's own master",
    60,
    async () => (await playlists(film, upTo(480))).isSteered || null,
  );
});
