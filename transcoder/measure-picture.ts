import { createReadStream } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FLASH_COLUMNS, FLASH_ROWS, flashMeter } from "../core/flash-meter.ts";
import type { LookSpan } from "../core/look-parts.ts";
import { combLogReader, pictureLogReader } from "../core/picture-log.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import { toNumber } from "../core/rational.ts";
import type { SeenPart } from "../core/seen-parts.ts";
import type { Timeline } from "../core/timeline.ts";
import { assemble } from "./ffmpeg-command.ts";
import { COMBING_FILE, FLASH_FILE, inspectionRecipe, sampleFile } from "./inspect-recipe.ts";
import { runInspection } from "./inspection-run.ts";
import { openClearMedia } from "./protect-media.ts";
import type { TaskContext } from "./task-context.ts";

const CELLS_PER_FRAME = FLASH_COLUMNS * FLASH_ROWS;
/** Where in the film combs are looked for. */
const SAMPLES_AT = [1 / 6, 1 / 2, 5 / 6];
/** Some 600 for each frame of a sample. */
const SAMPLE_LOG_BYTES = 2 ** 18;

/** A rung where it is looked at: its init segment and some cells. */
export type SomeCells = Pick<ProducedTrack, "initKey" | "cells">;

/** A span of the film: the cells of its smallest rung. */
export interface FilmSpan {
  picture: SomeCells;
  span: LookSpan;
}

/** Of some frames, how many hold the lines of two moments and how many of one. */
export interface Combing {
  combedFrames: number;
  wholeFrames: number;
}

/** What is seen in one span of the film, its cells read back from storage: black, still, bars, flashes. */
export async function lookAt(context: TaskContext, timeline: Timeline, film: FilmSpan): Promise<SeenPart> {
  return (await measurePicture(context, timeline, film, null)).seen!;
}

/** That and the combs in the top rung, by one program; null for what is not to be looked at, of which nothing is told then. */
export async function measurePicture(
  context: TaskContext,
  { frameRate, framesPerSegment }: Timeline,
  film: FilmSpan | null,
  top: SomeCells | null,
): Promise<{ seen: SeenPart | null; combing: Combing }> {
  const combs = combLogReader();
  if (film === null && top === null) return { seen: null, combing: combs.log() };
  const rate = toNumber(frameRate);
  const frames = film === null ? 0 : film.span.end - film.span.from;
  const samples = top === null ? [] : samplesOf(top);
  return context.scratch.withDirectory((input) =>
    context.scratch.withDirectory(async (outputDirectory) => {
      const outside = (path: string): string => join(outputDirectory, path.replace("/out/", ""));
      const source = join(input, "film.mp4");
      if (film !== null) await fetchCells(context, film.picture, source);
      for (const [at, sample] of samples.entries())
        await fetchCells(context, sample, outside(sampleFile(at)));
      const reader = film && pictureLogReader(film.span, rate);
      await runInspection(context, {
        program: "ffmpeg",
        args: assemble(inspectionRecipe(film !== null, samples.length)),
        ...(reader && { source, onStdoutLine: reader.add }),
        outputDirectory,
        mediaSeconds: frames / rate + samples.length,
        outputBytes: (frames + 100) * CELLS_PER_FRAME + samples.length * SAMPLE_LOG_BYTES,
      });
      if (samples.length > 0)
        for (const line of (await readFile(outside(COMBING_FILE), "utf8")).split("\n")) combs.add(line);
      if (film === null) return { seen: null, combing: combs.log() };
      const meter = flashMeter({ frameRate: rate, framesPerSegment }, film.span.from, film.span.first);
      await readFlashes(outside(FLASH_FILE), meter.add);
      return { seen: { ...reader!.seen(), flashing: meter.spans() }, combing: combs.log() };
    }),
  );
}

function samplesOf({ initKey, cells }: SomeCells): SomeCells[] {
  const segments = new Set(SAMPLES_AT.map((share) => Math.floor(share * cells.length)));
  return [...segments].map((segment) => ({ initKey, cells: [cells[segment]!] }));
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

/** Writes init segment and cells into one file. What is missing is left out: publishing reads everything back and says so. */
async function fetchCells(context: TaskContext, { initKey, cells }: SomeCells, path: string): Promise<void> {
  const { read } = await openClearMedia(context);
  await writeFile(path, (await read(initKey)) ?? "");
  for (const { key } of cells) {
    context.signal.throwIfAborted();
    await appendFile(path, (await read(key)) ?? "");
  }
}
