import { createReadStream } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FLASH_COLUMNS, FLASH_ROWS, flashMeter } from "../core/flash-meter.ts";
import type { LookSpan } from "../core/look-parts.ts";
import { combLogReader, pictureLogReader } from "../core/picture-log.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import { toNumber } from "../core/rational.ts";
import type { SeenPart } from "../core/seen-parts.ts";
import type { Timeline } from "../core/timeline.ts";
import { assemble } from "./ffmpeg-command.ts";
import { combingRecipe, FLASH_FILE, pictureRecipe, sampleFile } from "./inspect-recipe.ts";
import { runInspection } from "./inspection-run.ts";
import { openClearMedia } from "./protect-media.ts";
import type { TaskContext } from "./task-context.ts";

const CELLS_PER_FRAME = FLASH_COLUMNS * FLASH_ROWS;
/** Where in the film combs are looked for. */
const SAMPLES_AT = [1 / 6, 1 / 2, 5 / 6];

/** The smallest rung's picture where a film or a part of it is looked at: its init segment and the cells of the span. */
export type SmallPicture = Pick<ProducedTrack, "initKey" | "cells">;

/** What is seen in one span of the film, its cells read back from storage: black, still, bars, flashes. */
export async function lookAt(
  context: TaskContext,
  picture: SmallPicture,
  { frameRate, framesPerSegment }: Timeline,
  span: LookSpan,
): Promise<SeenPart> {
  const rate = toNumber(frameRate);
  return context.scratch.withDirectory((input) =>
    context.scratch.withDirectory(async (outputDirectory) => {
      const source = join(input, "film.mp4");
      await fetchCells(context, picture, picture.cells, source);
      const reader = pictureLogReader(span, rate);
      await runInspection(context, {
        program: "ffmpeg",
        args: assemble(pictureRecipe()),
        source,
        outputDirectory,
        mediaSeconds: (span.end - span.from) / rate,
        outputBytes: (span.end - span.from + 100) * CELLS_PER_FRAME,
        onStdoutLine: reader.add,
      });
      const meter = flashMeter({ frameRate: rate, framesPerSegment }, span.from, span.first);
      await readFlashes(join(outputDirectory, FLASH_FILE.replace("/out/", "")), meter.add);
      return { ...reader.seen(), flashing: meter.spans() };
    }),
  );
}

async function readFlashes(path: string, onFrame: (frame: Uint8Array) => void): Promise<void> {
  let rest = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * CELLS_PER_FRAME })) {
    const bytes = Buffer.concat([rest, piece as Buffer]);
    const whole = bytes.length - (bytes.length % CELLS_PER_FRAME);
    for (let at = 0; at < whole; at += CELLS_PER_FRAME) onFrame(bytes.subarray(at, at + CELLS_PER_FRAME));
    rest = bytes.subarray(whole);
  }
}

/** How many of some frames are combed. */
export async function measureCombing(
  context: TaskContext,
  track: ProducedTrack,
): Promise<{ combedFrames: number; wholeFrames: number }> {
  const segments = [...new Set(SAMPLES_AT.map((share) => Math.floor(share * track.cells.length)))];
  return context.scratch.withDirectory(async (outputDirectory) => {
    for (const [index, segment] of segments.entries()) {
      const path = join(outputDirectory, sampleFile(index).replace("/out/", ""));
      await fetchCells(context, track, [track.cells[segment]!], path);
    }
    const reader = combLogReader();
    await runInspection(context, {
      program: "ffmpeg",
      args: assemble(combingRecipe(segments.length)),
      outputDirectory,
      mediaSeconds: segments.length,
      outputBytes: 0,
      onStdoutLine: reader.add,
    });
    return reader.log();
  });
}

/** Writes init segment and cells into one file. What is missing is left out: publishing reads everything back and says so. */
async function fetchCells(
  context: TaskContext,
  track: Pick<ProducedTrack, "initKey">,
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
