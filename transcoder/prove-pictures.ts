import type { StreamEntry } from "../core/conformance/parse-multivariant.ts";
import type { Fragment } from "../core/fragments.ts";
import { joinTracks } from "../core/join-tracks.ts";
import { codecFault, hasFault, type ProofLine, proved } from "../core/proof.ts";
import type { Timeline } from "../core/timeline.ts";
import { type Decoded, decodeTracks } from "./decode-tracks.ts";
import { type Group, groupsOf, type OpenRung, openRung } from "./open-rung.ts";
import { lookAt, type ProofBench, putFile } from "./proof-bench.ts";
import { proveSwitches } from "./prove-switches.ts";

/**
 * Plays every rung at its start and its end, and over the switches to the next ones in the middle of the film: a
 * group of pictures each, counted and compared with the plan's places.
 */
export async function provePictures(
  bench: ProofBench,
  mainPath: string,
  variants: readonly StreamEntry[],
  timeline: Timeline,
): Promise<ProofLine[]> {
  const rungs: OpenRung[] = [];
  const lines: ProofLine[] = [];
  for (const entry of distinct(variants)) {
    const opened = async () => void rungs.push(await openRung(bench, mainPath, entry));
    lines.push(...(await lookAt(entry.uri, () => opened().then(() => []))));
  }
  lines.push(...(await playRungs(bench, rungs, timeline)));
  lines.push(...(await proveSwitches(bench, rungs)));
  return lines;
}

/** A rung stands once for every group of sounds. */
function distinct(variants: readonly StreamEntry[]): StreamEntry[] {
  return variants.filter(({ uri }, index) => variants.findIndex((other) => other.uri === uri) === index);
}

/**
 * All rungs through one process, since each takes a tenth of a CPU second to start; where anything is wrong each by itself,
 * since a decoder does not say of which it complains.
 */
async function playRungs(
  bench: ProofBench,
  rungs: readonly OpenRung[],
  timeline: Timeline,
): Promise<ProofLine[]> {
  const play = (some: readonly OpenRung[]) =>
    lookAt(some[0]?.part ?? "", () => playTogether(bench, some, timeline));
  if (rungs.length > 1) {
    const together = await play(rungs);
    if (!hasFault(together)) return together;
  }
  const alone: ProofLine[] = [];
  for (const rung of rungs) alone.push(...(await play([rung])));
  return alone;
}

async function playTogether(
  bench: ProofBench,
  rungs: readonly OpenRung[],
  timeline: Timeline,
): Promise<ProofLine[]> {
  const groups: Group[][] = [];
  for (const rung of rungs) groups.push(await outermostGroups(bench, rung));
  const joined = joinTracks(
    rungs.map(({ init }, index) => ({ init, fragments: groups[index]!.map(({ bytes }) => bytes) })),
  );
  const { tracks, complaints } = await decodeTracks(bench, await putFile(bench, "rungs.mp4", [joined]));
  return rungs.flatMap((rung, index) => linesOf(rung, groups[index]!, timeline, complaints, tracks[index]));
}

/** The first group of pictures of a rung and its last. */
async function outermostGroups(bench: ProofBench, rung: OpenRung): Promise<Group[]> {
  const { segments } = rung;
  const opening = await groupsOf(bench, rung, 0);
  const ending = segments.length === 1 ? opening : await groupsOf(bench, rung, segments.length - 1);
  return [...new Set([opening[0]!, ending.at(-1)!])];
}

function linesOf(
  rung: OpenRung,
  groups: readonly Group[],
  timeline: Timeline,
  complaints: readonly string[],
  { stream, frames }: Pick<Decoded, "stream" | "frames"> = { stream: null, frames: [] },
): ProofLine[] {
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
