import type { StreamEntry } from "../core/conformance/parse-multivariant.ts";
import type { Fragment } from "../core/fragments.ts";
import { codecFault, hasFault, type ProofLine, proved } from "../core/proof.ts";
import type { Timeline } from "../core/timeline.ts";
import type { Group, OpenRung } from "./open-rung.ts";
import { type PlayedRung, playRung } from "./play-tracks.ts";
import { lookAt, type ProofBench } from "./proof-bench.ts";

/**
 * Every rung at its start and its end: a group of pictures each, counted and compared with the plan's places. They have been
 * `played` together, or are played here each by itself where that was not well or anything is wrong with what came out.
 */
export async function provePictures(
  bench: ProofBench,
  rungs: readonly OpenRung[],
  timeline: Timeline,
  played: readonly PlayedRung[] | null,
): Promise<ProofLine[]> {
  const together = played?.flatMap((one) => linesOf(one, timeline));
  if (together !== undefined && !hasFault(together)) return together;
  const alone: ProofLine[] = [];
  for (const rung of rungs)
    alone.push(...(await lookAt(rung.part, async () => linesOf(await playRung(bench, rung), timeline))));
  return alone;
}

function linesOf({ rung, groups, decoded }: PlayedRung, timeline: Timeline): ProofLine[] {
  const { stream, frames, complaints } = decoded;
  const { part, entry } = rung;
  const expected = groups.reduce((sum, { fragment }) => sum + fragment.samples.length, 0);
  const counted = frames.length === expected ? [] : [`${frames.length} of ${expected} frames came out`];
  const shown = frames.map(({ pts }) => pts);
  const ofStream = stream ? streamFaults(rung, stream) : ["nothing could be opened"];
  return [
    proved(part, "decodes", [...complaints, ...counted], `${expected} frames, no complaint`),
    proved(part, "times", timeFaults(rung, groups, shown, timeline), "each frame at its place"),
    proved(part, "codecs", ofStream, codecsOf(entry)[0] ?? ""),
  ];
}

/**
 * Each frame stands where the plan puts it: first at nought, last at the film's end, as the decoder shows them. ffmpeg
 * moves a whole file by what its first frame is held back, so there only distances count, and the boxes say where it begins.
 */
function timeFaults(
  { facts }: OpenRung,
  groups: readonly Group[],
  shown: readonly number[],
  { frameCount, ticksPerFrame, timescale }: Timeline,
): string[] {
  const placed = groups.flatMap(({ fragment }) => timesOf(fragment)).sort((a, b) => a - b);
  const gaps = groups.filter(({ fragment }) => {
    const times = timesOf(fragment).sort((a, b) => a - b);
    return times.some((time, index) => time !== times[0]! + index * ticksPerFrame);
  });
  const first = placed[0]!;
  const last = placed.at(-1)!;
  const planned = (frameCount - 1) * ticksPerFrame;
  return [
    ...(facts.timescale === timescale ? [] : [`${facts.timescale} ticks a second, not ${timescale}`]),
    ...(first === 0 ? [] : [`the first frame is at ${first}`]),
    ...(last === planned ? [] : [`the last frame is at ${last}, not ${planned}`]),
    ...(gaps.length === 0 ? [] : ["a frame is missing, late or at no place of the plan"]),
    ...(shown.every((time, index) => time - shown[0]! === placed[index]! - first)
      ? []
      : ["the decoder shows them at other times"]),
  ];
}

/** 14496-12 8.6.1: shown at the time of decoding and the sample's own offset. */
function timesOf({ baseDecodeTime, samples }: Fragment): number[] {
  let time = baseDecodeTime;
  return samples.map(({ durationTicks, compositionOffsetTicks }) => {
    const shown = time + compositionOffsetTicks;
    time += durationTicks;
    return shown;
  });
}

function codecsOf({ attributes }: StreamEntry): string[] {
  return (attributes.get("CODECS") ?? "").split(",");
}

function streamFaults({ entry }: OpenRung, stream: Parameters<typeof codecFault>[1]): string[] {
  const size = `${stream.width}x${stream.height}`;
  const stated = entry.attributes.get("RESOLUTION");
  const codec = codecFault(codecsOf(entry)[0] ?? "", stream);
  return [...(codec === null ? [] : [codec]), ...(size === stated ? [] : [`${size}, not ${stated}`])];
}
