import { createReadStream } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FLASH_COLUMNS, FLASH_ROWS, type Flashing, flashMeter } from "../core/flash-meter.ts";
import { type PictureLog, pictureLogReader } from "../core/picture-log.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import { type Rational, toNumber } from "../core/rational.ts";
import { assemble } from "./ffmpeg-command.ts";
import { combingRecipe, FLASH_FILE, pictureRecipe, sampleFile } from "./inspect-recipe.ts";
import { runInspection } from "./inspection-run.ts";
import { openClearMedia } from "./protect-media.ts";
import type { TaskContext } from "./task-context.ts";

const CELLS_PER_FRAME = FLASH_COLUMNS * FLASH_ROWS;
/** Where in the film combs are looked for. */
const SAMPLES_AT = [1 / 6, 1 / 2, 5 / 6];

/** What the filters find in one produced track, read back from storage: black, frozen, bars, flashes. */
export async function measurePicture(
  context: TaskContext,
  track: ProducedTrack,
  frameRate: Rational,
  film: { seconds: number; frameCount: number },
): Promise<PictureLog & { flashing: Flashing[] }> {
  return context.scratch.withDirectory((input) =>
    context.scratch.withDirectory(async (outputDirectory) => {
      const source = join(input, "film.mp4");
      await fetchCells(context, track, track.cells, source);
      const reader = pictureLogReader(film.seconds);
      await runInspection(context, {
        program: "ffmpeg",
        args: assemble(pictureRecipe()),
        source,
        outputDirectory,
        mediaSeconds: film.seconds,
        outputBytes: (film.frameCount + 100) * CELLS_PER_FRAME,
        onStdoutLine: reader.add,
      });
      const flashes = join(outputDirectory, FLASH_FILE.replace("/out/", ""));
      return { ...reader.log(), flashing: await meterFlashes(flashes, toNumber(frameRate)) };
    }),
  );
}

async function meterFlashes(path: string, frameRate: number): Promise<Flashing[]> {
  const meter = flashMeter(frameRate);
  let rest = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * CELLS_PER_FRAME })) {
    const bytes = Buffer.concat([rest, piece as Buffer]);
    const whole = bytes.length - (bytes.length % CELLS_PER_FRAME);
    for (let at = 0; at < whole; at += CELLS_PER_FRAME) meter.add(bytes.subarray(at, at + CELLS_PER_FRAME));
    rest = bytes.subarray(whole);
  }
  return meter.ranges();
}

/** How many of some frames are combed. */
export async function measureCombing(
  context: TaskContext,
  track: ProducedTrack,
): Promise<Pick<PictureLog, "combedFrames" | "wholeFrames">> {
  const segments = [...new Set(SAMPLES_AT.map((share) => Math.floor(share * track.cells.length)))];
  return context.scratch.withDirectory(async (outputDirectory) => {
    for (const [index, segment] of segments.entries()) {
      const path = join(outputDirectory, sampleFile(index).replace("/out/", ""));
      await fetchCells(context, track, [track.cells[segment]!], path);
    }
    const reader = pictureLogReader(0);
    await runInspection(context, {
      program: "ffmpeg",
      args: assemble(combingRecipe(segments.length)),
      outputDirectory,
      mediaSeconds: segments.length,
      outputBytes: 0,
      onStdoutLine: reader.add,
    });
    const { combedFrames, wholeFrames } = reader.log();
    return { combedFrames, wholeFrames };
  });
}

/** Writes init segment and cells into one file. What is missing is left out: publishing reads everything back and says so. */
async function fetchCells(
  context: TaskContext,
  track: ProducedTrack,
  cells: ProducedTrack["cells"],
  path: string,
): Promise<void> {
  const { read } = await openClearMedia(context);
  await writeFile(path, (await read(track.initKey)) ?? "");
  for (const { key } of cells) {
    context.signal.throwIfAborted();
    await appendFile(path, (await read(key)) ?? "");
  }
}
