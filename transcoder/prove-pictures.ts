import { type Fragment, type InitFacts, readFragments, readInit } from "../core/box-reader.ts";
import { resolvePath } from "../core/conformance/package-view.ts";
import { parseMedia, type StreamEntry } from "../core/conformance/parse-playlist.ts";
import { elementaryFormat, elementaryStream } from "../core/elementary-stream.ts";
import { codecFault, type ProofLine, proved, untold } from "../core/proof.ts";
import type { Timeline } from "../core/timeline.ts";
import { decodeFile, lookAt, type ProofBench, putFile, readObject, readText } from "./proof-bench.ts";

/** One rung as the multivariant playlist names it, opened. */
interface OpenRung {
  part: string;
  entry: StreamEntry;
  init: Uint8Array;
  facts: InitFacts;
  /** Paths of its segments, in order. */
  segments: string[];
}

/** A group of pictures: the bytes of one fragment and what its boxes say. */
interface Group {
  bytes: Uint8Array;
  fragment: Fragment;
}

/**
 * Plays every rung at its start and its end, and over a switch to the next one in the middle of the film: a group of
 * pictures each, counted and compared with the plan's places.
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
  for (const rung of rungs) lines.push(...(await lookAt(rung.part, () => playRung(bench, rung, timeline))));
  for (const [index, from] of rungs.entries()) {
    const to = rungs[index + 1];
    if (to !== undefined && isSwitchable(from, to))
      lines.push(...(await lookAt(from.part, async () => [await playSwitch(bench, from, to)])));
  }
  return lines;
}

/** A rung stands once for every group of sounds. */
function distinct(variants: readonly StreamEntry[]): StreamEntry[] {
  return variants.filter(({ uri }, index) => variants.findIndex((other) => other.uri === uri) === index);
}

async function openRung(bench: ProofBench, mainPath: string, entry: StreamEntry): Promise<OpenRung> {
  const path = resolvePath(mainPath, entry.uri);
  const { segments } = parseMedia(await readText(bench, path));
  const init = await readObject(bench, resolvePath(path, segments[0]?.map?.uri ?? ""));
  return {
    part: path.slice(0, path.lastIndexOf("/")),
    entry,
    init,
    facts: readInit(init),
    segments: segments.map(({ uri }) => resolvePath(path, uri)),
  };
}

async function groupsOf(bench: ProofBench, { segments }: OpenRung, segment: number): Promise<Group[]> {
  const bytes = await readObject(bench, segments[segment]!);
  return readFragments(bytes).map((fragment) => ({
    bytes: bytes.subarray(fragment.offset, fragment.offset + fragment.bytes),
    fragment,
  }));
}

async function playRung(bench: ProofBench, rung: OpenRung, timeline: Timeline): Promise<ProofLine[]> {
  const { part, init, segments } = rung;
  const opening = await groupsOf(bench, rung, 0);
  const ending = segments.length === 1 ? opening : await groupsOf(bench, rung, segments.length - 1);
  const groups = [...new Set([opening[0]!, ending.at(-1)!])];
  const file = await putFile(bench, "rung.mp4", [init, ...groups.map(({ bytes }) => bytes)]);
  const { stream, frames, complaints } = await decodeFile(bench, file);
  const expected = groups.reduce((sum, { fragment }) => sum + fragment.samples.length, 0);
  const counted = frames.length === expected ? [] : [`${frames.length} of ${expected} frames came out`];
  return [
    proved(part, "decodes", [...complaints, ...counted], `${expected} frames, no complaint`),
    proved(
      part,
      "times",
      timeFaults(
        rung,
        groups,
        frames.map(({ pts }) => pts),
        timeline,
      ),
      "each frame at its place",
    ),
    proved(
      part,
      "codecs",
      stream ? streamFaults(rung, stream) : ["nothing could be opened"],
      codecsOf(rung.entry)[0] ?? "",
    ),
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

/** Players stay within a codec and a dynamic range. */
function isSwitchable(from: OpenRung, to: OpenRung): boolean {
  const rangeOf = ({ entry }: OpenRung): string => entry.attributes.get("VIDEO-RANGE") ?? "SDR";
  return from.facts.sampleEntry === to.facts.sampleEntry && rangeOf(from) === rangeOf(to);
}

/** The last group of one rung before a border and the first of the next after it, through one decoder. */
async function playSwitch(bench: ProofBench, from: OpenRung, to: OpenRung): Promise<ProofLine> {
  const border = Math.floor(from.segments.length / 2);
  const format = elementaryFormat(from.facts.sampleEntry);
  if (border === 0 || format === null)
    return untold(from.part, "switches", "one segment: there is no border");
  const before = (await groupsOf(bench, from, border - 1)).at(-1)!;
  const after = (await groupsOf(bench, to, border))[0]!;
  const file = await putFile(bench, "switch.bin", [
    elementaryStream(from.init, before.bytes),
    elementaryStream(to.init, after.bytes),
  ]);
  const { frames, complaints } = await decodeFile(bench, file, format);
  const sized = (size: InitFacts): number =>
    frames.filter(({ width, height }) => width === size.width && height === size.height).length;
  const isOneSize = from.facts.width === to.facts.width && from.facts.height === to.facts.height;
  const [wantedBefore, wantedAfter] = [before.fragment.samples.length, after.fragment.samples.length];
  const isCounted = isOneSize
    ? frames.length === wantedBefore + wantedAfter
    : sized(from.facts) === wantedBefore && sized(to.facts) === wantedAfter;
  const end = before.fragment.samples.reduce(
    (sum, { durationTicks }) => sum + durationTicks,
    before.fragment.baseDecodeTime,
  );
  return proved(
    from.part,
    "switches",
    [
      ...complaints,
      ...(isCounted ? [] : [`${frames.length} of ${wantedBefore} and ${wantedAfter} frames came out`]),
      ...(end === after.fragment.baseDecodeTime
        ? []
        : [`${to.part} goes on at ${after.fragment.baseDecodeTime}, not ${end}`]),
    ],
    `to ${to.part} before segment ${border}: ${wantedBefore} and ${wantedAfter} frames, no complaint`,
  );
}
