import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { besidePictures, cutSounds } from "../../transcoder/beside-pictures.ts";
import { packet } from "../rig/transport-stream.ts";

/** What lies beside the pictures of a transport stream that is made by hand, packet by packet. */

const [PICTURE, SOUND, NOTHING] = [0x100, 0x101, 0x1fff];
const UNIT = 188;
let folder: string;
let opened = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-beside-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Packets of these streams, each counted on. */
function stream(packetIds: readonly number[]): Uint8Array[] {
  const counters = new Map<number, number>();
  return packetIds.map((packetId, index) => {
    const counter = ((counters.get(packetId) ?? -1) + 1) % 16;
    counters.set(packetId, counter);
    return packet({ packetId, payload: [index], isStart: false, counter });
  });
}

async function stored(packets: readonly Uint8Array[]): Promise<string> {
  const path = join(folder, `stream-${opened++}.ts`);
  await writeFile(path, Buffer.concat(packets));
  return path;
}

const spans = (...units: (readonly [number, number])[]) =>
  units.map(([start, end]) => ({ start: start * UNIT, end: end * UNIT }));

const [P, S, N] = [PICTURE, SOUND, NOTHING];
const FILM = [0, P, S, P, P, S, S, N, P, S, P, P];

test("what is left of a stretch is all that is no picture and fills nothing up, with its first packet and its last", async () => {
  const path = await stored(stream(FILM));
  assert.deepEqual(
    await besidePictures(path, { start: UNIT, end: FILM.length * UNIT }, PICTURE),
    spans([1, 3], [5, 7], [9, 10], [11, 12]),
  );
  assert.deepEqual(
    await besidePictures(path, { start: UNIT, end: FILM.length * UNIT - 5 }, PICTURE),
    spans([1, 3], [5, 7], [9, 11]),
    "a file may end in the middle of a packet",
  );
});

test("behind time stamps packets are found as well", async () => {
  const path = await stored(stream(FILM).flatMap((one) => [new Uint8Array(4), one]));
  const unit = UNIT + 4;
  assert.deepEqual(await besidePictures(path, { start: 3 * unit, end: 7 * unit }, PICTURE), [
    { start: 3 * unit, end: 4 * unit },
    { start: 5 * unit, end: 7 * unit },
  ]);
});

test("nothing is left of what does not lie in a row", async () => {
  const packets = stream(FILM);
  packets[6] = new Uint8Array(UNIT);
  assert.equal(await besidePictures(await stored(packets), { start: 0, end: 8 * UNIT }, PICTURE), null);
  assert.equal(
    await besidePictures(await stored([new Uint8Array(2000)]), { start: 0, end: UNIT }, PICTURE),
    null,
  );
});

/** The cut of a film whose first three packets are its beginning, and what speaks against it. */
async function cut(packets: readonly Uint8Array[], ranges = spans([0, packets.length])) {
  const to = join(folder, `cut-${opened++}.ts`);
  const parts = { packetId: PICTURE, beginningBytes: 3 * UNIT + 7 };
  const doubt = await cutSounds(await stored(packets), ranges, parts, to);
  return { doubt, bytes: await readFile(to) };
}

test("a sound's file holds the beginning as it is, and of the rest no picture", async () => {
  const packets = stream(FILM);
  const expected = Buffer.concat([0, 1, 2, 5, 6, 9].map((index) => packets[index]!));
  assert.deepEqual(await cut(packets), { doubt: null, bytes: expected });
  assert.deepEqual(await cut(packets, spans([2, 3], [5, 7], [9, 10])), { doubt: null, bytes: expected });
});

test("a packet of a sound that is missing shows by its counter, unless its writer says so", async () => {
  const lacking = await cut(stream(FILM), spans([0, 5], [6, 12]));
  assert.match(lacking.doubt ?? "none", /missing/);
  const packets = stream(FILM);
  packets[6] = packet({ packetId: SOUND, payload: [6], isStart: false, counter: 2, isDiscontinuity: true });
  assert.equal((await cut(packets, spans([0, 5], [6, 12]))).doubt, null);
  packets[9] = new Uint8Array(UNIT);
  assert.match((await cut(packets)).doubt ?? "none", /in a row/);
});
