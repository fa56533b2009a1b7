import { type Device, type OfferedVideo, videosFor } from "./device.ts";
import type { VideoRange } from "./ladder.ts";

/**
 * The MPD that `manifest` is for one device: representations and whole sets of sound are left out, none is added. Reads
 * the lines that `core/mpd.ts` writes (an element's begin and end on lines of their own), and nothing else.
 */
export function mpdFor(manifest: string, device: Device): string {
  const lines = manifest.split("\n");
  const sets = setsOf(lines);
  const kept = new Set(videosFor(sets.flatMap(videosOf), device).map(({ line }) => line));
  const mostChannels = Math.max(2, device.maxChannels ?? Number.POSITIVE_INFINITY);
  const dropped = new Set<number>();
  const replaced = new Map<number, string>();
  const dropAll = ({ from, to }: AdaptationSet): void => {
    for (let line = from; line <= to; line++) dropped.add(line);
  };
  const sounds = sets.filter(({ kind }) => kind === "audio");
  const quiet = sounds.filter(({ lines: own }) => channelsOf(own) <= mostChannels);
  for (const set of sounds) if (quiet.length > 0 && !quiet.includes(set)) dropAll(set);
  for (const set of sets.filter(({ kind }) => kind === "video")) {
    const all = videosOf(set);
    const left = all.filter(({ line }) => kept.has(line));
    if (left.length === 0) dropAll(set);
    for (const { line } of all) if (!kept.has(line)) dropped.add(line);
    replaced.set(set.from, withLargest(lines[set.from] ?? "", left));
  }
  if (dropped.size === 0) return manifest;
  return lines.flatMap((line, at) => (dropped.has(at) ? [] : [replaced.get(at) ?? line])).join("\n");
}

interface AdaptationSet {
  kind: string;
  /** Its first line and its last one. */
  from: number;
  to: number;
  lines: string[];
}

interface MpdLine extends OfferedVideo {
  /** Of the whole manifest. */
  line: number;
}

function setsOf(lines: readonly string[]): AdaptationSet[] {
  return lines.flatMap((line, from) => {
    if (!line.trimStart().startsWith("<AdaptationSet ")) return [];
    const to = lines.findIndex((other, at) => at > from && other.trim() === "</AdaptationSet>");
    return [{ kind: attribute(line, "contentType"), from, to, lines: lines.slice(from, to + 1) }];
  });
}

function videosOf({ kind, from, lines }: AdaptationSet): MpdLine[] {
  if (kind !== "video") return [];
  const range = rangeOf(lines);
  return lines.flatMap((line, at) =>
    line.trimStart().startsWith("<Representation ")
      ? [
          {
            line: from + at,
            range,
            codec: attribute(line, "codecs"),
            width: Number(attribute(line, "width")),
            height: Number(attribute(line, "height")),
          },
        ]
      : [],
  );
}

/** ISO/IEC 23091-2: 16 is PQ, 18 is HLG. */
function rangeOf(lines: readonly string[]): VideoRange {
  const curve = lines.find((line) => line.includes("cicp:TransferCharacteristics")) ?? "";
  const value = attribute(curve, "value");
  return value === "16" ? "PQ" : value === "18" ? "HLG" : "SDR";
}

function channelsOf(lines: readonly string[]): number {
  return Number(attribute(lines.find((line) => line.includes("<AudioChannelConfiguration ")) ?? "", "value"));
}

/** 23009-1 5.3.3.2: what a set says of its largest is true of what is left. */
function withLargest(line: string, left: readonly MpdLine[]): string {
  const largest = (side: "width" | "height") => Math.max(0, ...left.map((one) => one[side]));
  return line
    .replace(/ maxWidth="\d+"/, ` maxWidth="${largest("width")}"`)
    .replace(/ maxHeight="\d+"/, ` maxHeight="${largest("height")}"`);
}

function attribute(line: string, name: string): string {
  return new RegExp(` ${name}="([^"]*)"`).exec(line)?.[1] ?? "";
}
