import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "hls-parser";
import { jpegSize, type Size } from "../../core/image-size.ts";
import { chosenPoster, hasStoryboard, posterPath, postersOf } from "../../core/posters.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { storyboardFault } from "../../core/storyboard.ts";
import { trickFrames } from "../../core/trick-play.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import { made } from "../rig/media.ts";
import { openStorage, readPackage, withPackageFolder } from "../rig/package.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

const run = promisify(execFile);
let product: Product;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

const ENCODE = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

/** Six seconds each of black, of fine moving detail, of the same out of focus, of plain grey, and of bars. */
function scenes(): Promise<string> {
  const size = "size=480x270:rate=25:duration=6";
  const inputs = [
    `color=black:${size}`,
    `testsrc2=${size}`,
    `testsrc2=${size},boxblur=12:2`,
    `color=gray:${size}`,
    `smptehdbars=${size}`,
  ];
  return made("mp4", [
    ...inputs.flatMap((input) => ["-f", "lavfi", "-i", input]),
    ...["-filter_complex", "[0][1][2][3][4]concat=n=5", ...ENCODE, "{out}"],
  ]);
}

async function publish(path: string): Promise<{ asset: AssetRecord; files: Map<string, Uint8Array> }> {
  const asset = await product.until(
    await product.uploadFile(path),
    ({ state }) => state === "ready" || state === "failed",
    300,
  );
  assert.equal(asset.state, "ready", JSON.stringify(asset.error));
  return { asset, files: await readPackage(product, asset) };
}

/** Everything that is promised of the pictures of any film. */
async function checkImages(asset: AssetRecord, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const posters = postersOf(asset);
  assert.ok(posters.length >= 1, "there is a poster");
  assert.equal(chosenPoster(asset)?.id, "poster-0");
  for (const poster of posters) {
    const { width, height } = poster;
    assert.deepEqual(jpegSize(files.get(posterPath(poster))!), { width, height });
    assert.ok(Math.max(width!, height!) <= 1280);
  }
  assert.ok(hasStoryboard(asset));
  const sheets = new Map<string, Size>();
  for (const [path, bytes] of files)
    if (/storyboard-\d+\.jpg$/.test(path)) sheets.set(path.replace("images/", ""), jpegSize(bytes));
  const vtt = Buffer.from(files.get("images/storyboard.vtt")!).toString();
  const { timeline } = asset.plan!;
  assert.equal(storyboardFault(vtt, sheets, asset.published!.durationSeconds), null);

  const whole = { firstFrame: 0, frameCount: timeline.frameCount };
  const planned = trickFrames(timeline, whole).length;
  const playlist = parse(Buffer.from(files.get("video/trick/iframes.m3u8")!).toString());
  assert.ok("segments" in playlist);
  assert.equal(playlist.segments.length, planned);
  const report = await findConformance(product.library, asset._id, asset.published!.generation);
  const verdicts = new Map(report?.results.map(({ rule, verdict }) => [rule, verdict]));
  for (const rule of ["6.1", "6.2", "6.6", "6.8", "6.9", "6.10"])
    assert.equal(verdicts.get(rule), "pass", rule);
  await withPackageFolder(files, async (folder) => {
    const args = ["-v", "error", "-allowed_extensions", "ALL", "-count_frames"];
    const entries = ["-show_entries", "stream=nb_read_frames,width,height", "-of", "csv=p=0"];
    const shown = await run("ffprobe", [...args, ...entries, `${folder}/video/trick/iframes.m3u8`]);
    const { width, height } = asset.plan!.trickPlay;
    assert.equal(shown.stdout.split("\n")[0], `${width},${height},${planned}`, "as ffmpeg reads it");
  });
  return vtt;
}

/** Mean colour of a JPEG, or of a box of it. */
async function meanColour(bytes: Uint8Array, crop?: string): Promise<number[]> {
  const filters = [...(crop === undefined ? [] : [`crop=${crop}`]), "scale=1:1:flags=area", "format=rgb24"];
  const options = { encoding: "buffer" as const };
  const args = ["-v", "error", "-i", "pipe:0", "-vf", filters.join(","), "-f", "rawvideo", "-"];
  const child = run("ffmpeg", args, options);
  child.child.stdin?.end(bytes);
  return [...(await child).stdout];
}

test("posters: neither black nor plain nor blurred, apart from each other, and the one that is chosen is shown", async () => {
  const { asset, files } = await publish(await scenes());
  const vtt = await checkImages(asset, files);
  assert.equal(vtt.match(/-->/g)?.length, 30, "a picture a second");
  const posters = postersOf(asset);
  const sceneOf = ({ atSeconds }: { atSeconds: number }) => Math.floor(atSeconds / 6);
  assert.equal(sceneOf(posters[0]!), 1, "the sharp one is best");
  assert.ok(posters.length >= 2 && posters.length <= 6);
  assert.ok(
    posters.every((poster) => ![0, 3].includes(sceneOf(poster))),
    JSON.stringify(posters),
  );

  const path = `/v1/assets/${asset._id}/poster` as const;
  const last = posters.at(-1)!;
  const answer = await product.call("POST", path, { id: last.id });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const shown = answer.body.posters.filter((one) => one.chosen);
  assert.deepEqual(
    shown.map(({ id }) => id),
    [last.id],
  );
  const image = await fetch(shown[0]!.url);
  assert.equal(image.headers.get("content-type"), "image/jpeg");
  assert.deepEqual(new Uint8Array(await image.arrayBuffer()), new Uint8Array(files.get(posterPath(last))!));
  const preview = await product.call("POST", `/v1/assets/${asset._id}/preview`, {});
  assert.match(preview.body.posterUrl ?? "", new RegExp(`/images/${last.id}\\.jpg$`));
  const boardUrl = preview.body.storyboardUrl!;
  const board = await fetch(boardUrl);
  assert.equal(await board.text(), vtt);
  assert.match(board.headers.get("content-type") ?? "", /^text\/vtt/);
  const [, sheet = ""] = /\n(storyboard-\d+\.jpg)#/.exec(vtt) ?? [];
  assert.equal((await fetch(new URL(sheet, boardUrl))).status, 200, "under the same grant");
});

test("what a thumbnail shows is what is seen at its time", async () => {
  const { asset, files } = await publish(await scenes());
  const vtt = Buffer.from(files.get("images/storyboard.vtt")!).toString();
  assert.equal(asset.plan?.trickPlay.width, 416);
  const boxes = [...vtt.matchAll(/(storyboard-\d+\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)/g)];
  const at = async (second: number) => {
    const [, name, x, y, width, height] = boxes[second]!;
    return meanColour(files.get(`images/${name}`)!, `${width}:${height}:${x}:${y}`);
  };
  const black = await at(2);
  assert.ok(Math.max(...black) < 8, `${black}`);
  const grey = await at(21);
  assert.ok(
    grey.every((value) => Math.abs(value - 128) < 8),
    `${grey}`,
  );
});

for (const [name, size, duration, filter] of [
  ["one frame", "320x180", "0.04", "null"],
  ["half a second", "320x180", "0.5", "null"],
  ["64 pixels", "64x64", "3", "null"],
  ["portrait", "360x640", "3", "null"],
  ["anamorphic, 12.5 frames a second", "360x288", "5", "setsar=64/45,fps=25/2"],
] as const) {
  test(`${name}: a poster, a storyboard and pictures for seeking`, async () => {
    const source = `testsrc2=size=${size}:rate=25:duration=${duration},${filter}`;
    const path = await made("mp4", ["-f", "lavfi", "-i", source, ...ENCODE, "{out}"]);
    const { asset, files } = await publish(path);
    await checkImages(asset, files);
    const shape = asset.source!.video.width / asset.source!.video.height;
    const [poster] = postersOf(asset);
    assert.ok(
      Math.abs(poster!.width! / poster!.height! / shape - 1) < 0.03,
      `${poster!.width}×${poster!.height}`,
    );
  });
}

test("a picture for seeking that is lost before the stills are made is made again", async () => {
  // Long enough that it is lost in good time before the last chunk is made.
  const source = ["-f", "lavfi", "-i", "testsrc2=size=480x270:rate=10:duration=62"];
  const assetId = await product.uploadFile(await made("mp4", [...source, ...ENCODE, "{out}"]));
  const firstChunk = { assetId, kind: "video", chunk: 0 } as const;
  const key = await eventually("the first chunk", 300, async () => {
    const task = await product.library.tasks.findOne({ ...firstChunk, state: "done" });
    return task?.result?.tracks.find(({ trackId }) => trackId === "trick")?.cells[0]?.key ?? null;
  });
  const storage = openStorage(product);
  await storage.remove("media", [key]);
  storage.close();
  const asset = await product.until(assetId, ({ state }) => state === "ready", 300);
  await checkImages(asset, await readPackage(product, asset));
  const chunk = await product.library.tasks.findOne(firstChunk);
  assert.deepEqual(
    chunk?.attempts.map(({ outcome }) => outcome),
    ["done", "done"],
  );
});

test("colours: red in the film is red on its poster, by the matrix that the film has", async () => {
  for (const matrix of ["bt709", "smpte170m"]) {
    const path = await made("mp4", [
      ...["-f", "lavfi", "-i", "color=red:size=320x180:rate=25:duration=1"],
      ...["-vf", `drawbox=w=40:h=40:c=red:t=fill,scale=out_color_matrix=${matrix}:out_range=limited`],
      ...[...ENCODE, "-colorspace", matrix, "-color_primaries", matrix, "-color_trc", matrix, "{out}"],
    ]);
    const { asset, files } = await publish(path);
    const [red = 0, green = 0, blue = 0] = await meanColour(files.get(posterPath(postersOf(asset)[0]!))!);
    assert.ok(red > 245 && green < 10 && blue < 10, `${matrix}: ${[red, green, blue]}`);
  }
});
