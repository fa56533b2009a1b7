import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readCueIndex } from "../../transcoder/matroska-index.ts";
import { makePartialFile } from "../../transcoder/partial-file.ts";
import { element, unsigned } from "../rig/ebml.ts";

/** Matroska files made by hand, whose index is larger than any film's: what is read of them, and what is made of it. */

const PROBE_BYTES = 1_000;
const FILM_BYTES = 2 ** 20;
let folder: string;
let made = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-matroska-index-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const seek = (id: string, position: number): Buffer =>
  element("4dbb", element("53ab", Buffer.from(id, "hex")), unsigned("53ac", position));
const cue = (ticks: number, position: number): Buffer =>
  element("bb", unsigned("b3", ticks), element("b7", unsigned("f7", 1), unsigned("f1", position)));
/** RFC 8794 11.3.2: nothing, in two bytes. */
const VOID = Buffer.from("ec80", "hex");

/** A file of one cluster whose cues stand behind it; `seeks` times its head says where. */
function film(cues: Uint8Array, seeks = 1): Buffer {
  const headBytes =
    element("114d9b74", seek("1c53bb6b", 0)).length + (seeks - 1) * seek("1c53bb6b", 0).length;
  const described = [
    element("1549a966", unsigned("2ad7b1", 1_000_000)),
    element("1654ae6b", element("ae", unsigned("d7", 1), unsigned("83", 1))),
    element("1f43b675", Buffer.alloc(FILM_BYTES)),
  ];
  const position = described.reduce((sum, { length }) => sum + length, headBytes);
  const head = element("114d9b74", ...Array.from({ length: seeks }, () => seek("1c53bb6b", position)));
  const segment = element("18538067", head, ...described, cues);
  return Buffer.concat([element("1a45dfa3"), segment]);
}

async function read(bytes: Buffer) {
  let requests = 0;
  const path = join(folder, `${made++}.mkv`);
  const file = await makePartialFile(path, bytes.length, async ({ start, end }, take) => {
    requests++;
    await take([bytes.subarray(start, end)], start);
  });
  const index = await readCueIndex(file, { bytes: PROBE_BYTES, frames: 48 }, new AbortController().signal);
  return { index, requests, heldBytes: file.heldBytes() };
}

const CUES = element("1c53bb6b", cue(0, 100), cue(2_000, 5_000));

test("the cues behind the film are found by the head, in a few requests", async () => {
  const { index, requests, heldBytes } = await read(film(CUES));
  assert.deepEqual(
    index?.entries.cues.map(({ seconds }) => seconds),
    [0, 2],
  );
  assert.ok(requests < 10 && heldBytes < 2 ** 18, `${requests} requests, ${heldBytes} bytes`);
});

test("a head that refers to more than any film has is followed nowhere", async () => {
  const { index, requests } = await read(film(CUES, 1_000));
  assert.equal(index, null);
  assert.ok(requests < 10, `${requests} requests`);
});

test("cues of more bytes than any film's are not read", async () => {
  const { index, heldBytes } = await read(
    film(element("1c53bb6b", CUES.subarray(8), Buffer.alloc(9 * 2 ** 20))),
  );
  assert.equal(index, null);
  assert.ok(heldBytes < 2 ** 20, `${heldBytes} bytes`);
});

test("cues of more parts than any film's are none", async () => {
  const filled = (parts: number): Buffer =>
    element("1c53bb6b", CUES.subarray(8), Buffer.alloc(parts * VOID.length, VOID));
  assert.equal((await read(film(filled(600_000)))).index, null);
  assert.equal((await read(film(filled(400_000)))).index?.entries.cues.length, 2);
});
