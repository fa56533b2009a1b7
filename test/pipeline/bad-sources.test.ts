import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { BIG_BUCK_BUNNY, flashAndBeep, made } from "../rig/media.ts";
import { type Product, startProduct } from "../rig/product.ts";

let product: Product;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

async function failureOf(bytes: Uint8Array, options: { sha256?: string } = {}): Promise<string | undefined> {
  const assetId = await product.upload(bytes, options);
  const asset = await product.until(assetId, ({ state }) => state === "failed" || state === "ready");
  const shown = await product.call("GET", `/v1/assets/${assetId}`);
  assert.equal(shown.body.error?.code, asset.error?.code);
  return asset.error?.code;
}

test("masters that cannot be used fail with their own code", async () => {
  const audioOnly = await made("mp4", ["-f", "lavfi", "-i", "sine=d=5", "-c:a", "aac", "{out}"]);
  const film = await readFile(await flashAndBeep({ seconds: 12 }));
  const faststart = await readFile(
    await made("mp4", ["-i", BIG_BUCK_BUNNY, "-c", "copy", "-t", "12", "-movflags", "+faststart", "{out}"]),
  );
  const table: [string, Uint8Array, string][] = [
    ["a text file named .mp4", Buffer.from("This is no film at all.\n".repeat(50)), "unsupported_container"],
    ["twenty bytes", Buffer.from("01234567890123456789"), "unsupported_container"],
    ["sound only", await readFile(audioOnly), "no_video"],
    ["cut off before its index", film.subarray(0, Math.floor(film.length * 0.6)), "source_damaged"],
    [
      "F25 cut off behind its index",
      faststart.subarray(0, Math.floor(faststart.length * 0.6)),
      "source_damaged",
    ],
    [
      "a picture",
      await readFile(
        await made("png", ["-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", "{out}"]),
      ),
      "unsupported_container",
    ],
  ];
  for (const [name, bytes, code] of table) assert.equal(await failureOf(bytes), code, name);
});

test("a whole-file digest that does not match is found before anything is published", async () => {
  const film = await readFile(await flashAndBeep({ seconds: 3 }));
  const other = createHash("sha256").update("another file").digest("hex");
  assert.equal(await failureOf(film, { sha256: other }), "checksum_mismatch");
});

test("T01 playlists named .mp4 are refused and nothing is fetched", async () => {
  let connections = 0;
  const canary = createServer((_, response) => response.end()).on("connection", () => {
    connections++;
  });
  canary.listen(0, "127.0.0.1");
  await once(canary, "listening");
  const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/x.ts`;
  const playlists = [
    `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n${url}\n#EXT-X-ENDLIST\n`,
    `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n${url}\n`,
    `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${url}\n`,
    `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n/etc/passwd\n#EXT-X-ENDLIST\n`,
    `ffconcat version 1.0\nfile '${url}'\n`,
    `ffconcat version 1.0\nfile /etc/passwd\n`,
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT6S"><Period><BaseURL>${url}</BaseURL><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><SegmentList><SegmentURL media="${url}"/></SegmentList></Representation></AdaptationSet></Period></MPD>`,
    `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
  ];
  for (const text of playlists)
    assert.equal(await failureOf(Buffer.from(text)), "unsupported_container", text.slice(0, 40));
  canary.close();
  assert.equal(connections, 0);
});
