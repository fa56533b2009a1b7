import type { MeasuredBitrate } from "./bitrate.ts";
import { type Device, familyOfCodec, type OfferedVideo, videosFor } from "./device.ts";
import { MEDIA_PLAYLIST_NAME, trackFolder } from "./keys.ts";
import { startFirst } from "./variant-order.ts";

const ATTRIBUTE = /([A-Z0-9-]+)=("[^"]*"|[^",]*)/g;

interface Entry {
  line: string;
  /** Without quotes. */
  attributes: ReadonlyMap<string, string>;
}

interface Variant extends Entry, OfferedVideo {
  /** "" of an I-frame line, which says it within. */
  uri: string;
}

/**
 * The multivariant playlist that `main` is for one device: variants, I-frame playlists and groups of sound are left
 * out, none is added, and nothing is measured anew: each variant stands with the same groups as before, so that its
 * BANDWIDTH holds. The same text where nothing is left out.
 */
export function masterFor(main: string, device: Device): string {
  const lines = main.split("\n");
  const media = lines.filter((line) => line.startsWith("#EXT-X-MEDIA:")).map(entryOf);
  const variants = lines.flatMap((line, at) =>
    line.startsWith("#EXT-X-STREAM-INF:") ? [variantOf(line, lines[at + 1] ?? "")] : [],
  );
  const iFrames = lines
    .filter((line) => line.startsWith("#EXT-X-I-FRAME-STREAM-INF:"))
    .map((line) => variantOf(line, ""));
  const groups = soundGroups(media, device);
  const heard = variants.filter(({ attributes }) => groups.has(attributes.get("AUDIO") ?? ""));
  const shown = videosFor(heard, device);
  const stills = iFramesFor(iFrames, device);
  if (shown.length === variants.length && stills.length === iFrames.length && device.audioId === null)
    return main;
  const sounds = media.filter(({ attributes }) => isKept(attributes, groups));
  const head = lines.slice(
    0,
    lines.findIndex((line) => line === "" || line.startsWith("#EXT-X-MEDIA:")),
  );
  return [
    ...head,
    "",
    ...sounds.map((entry) =>
      device.audioId === null ? entry.line : withDefault(entry, media, device.audioId),
    ),
    "",
    ...blocksOf(shown).flatMap((block) => [
      ...startFirst(block, ratesOf).flatMap(({ line, uri }) => [line, uri]),
      "",
    ]),
    ...stills.map(({ line }) => line),
    "",
  ].join("\n");
}

/** Of the device's codecs, and always the H.264 ones: they are small, and Apple 6.14 and 6.16 ask for them. */
function iFramesFor(iFrames: readonly Variant[], device: Device): Variant[] {
  if (iFrames.length === 0) return [];
  const families = device.families === null ? null : [...new Set([...device.families, "avc" as const])];
  return videosFor(iFrames, { ...device, families });
}

/** The groups of sound that the device plays; "" is that of variants without one. Never none of those that are there. */
function soundGroups(media: readonly Entry[], { maxChannels }: Device): ReadonlySet<string> {
  const channels = new Map<string, number>();
  for (const { attributes } of media) {
    if (attributes.get("TYPE") !== "AUDIO") continue;
    const id = attributes.get("GROUP-ID") ?? "";
    const count = Number.parseInt(attributes.get("CHANNELS") ?? "2", 10);
    channels.set(id, Math.max(channels.get(id) ?? 0, count));
  }
  const ids = [...channels.keys()];
  const played = ids.filter(
    (id) => maxChannels === null || (channels.get(id) ?? 0) <= Math.max(2, maxChannels),
  );
  return new Set(["", ...(played.length > 0 ? played : ids)]);
}

function isKept(attributes: Entry["attributes"], groups: ReadonlySet<string>): boolean {
  return attributes.get("TYPE") !== "AUDIO" || groups.has(attributes.get("GROUP-ID") ?? "");
}

/** In each group the one of that name is chosen by players themselves, where the group has it. */
function withDefault(entry: Entry, media: readonly Entry[], audioId: string): string {
  const { line, attributes } = entry;
  const uri = trackFolder("audio", audioId) + MEDIA_PLAYLIST_NAME;
  const name = media.find((one) => one.attributes.get("URI") === uri)?.attributes.get("NAME");
  const ofGroup = media.filter((one) => one.attributes.get("GROUP-ID") === attributes.get("GROUP-ID"));
  const isThere = name !== undefined && ofGroup.some((one) => one.attributes.get("NAME") === name);
  if (attributes.get("TYPE") !== "AUDIO" || !isThere) return line;
  if (attributes.get("NAME") !== name) return line.replace(",DEFAULT=YES,", ",DEFAULT=NO,");
  // 8216bis 4.4.6.1: what is DEFAULT is AUTOSELECT too.
  return line.replace(",DEFAULT=NO,", ",DEFAULT=YES,").replace(",AUTOSELECT=NO,", ",AUTOSELECT=YES,");
}

/** Variants of one codec, range and group of sound stand together. */
function blocksOf(variants: readonly Variant[]): Variant[][] {
  const kind = ({ codec, range, attributes }: Variant) =>
    [familyOfCodec(codec), range, attributes.get("AUDIO")].join();
  return [...Map.groupBy(variants, kind).values()];
}

function ratesOf({ attributes }: Entry): MeasuredBitrate {
  return {
    averageBps: Number(attributes.get("AVERAGE-BANDWIDTH")),
    peakBps: Number(attributes.get("BANDWIDTH")),
  };
}

function variantOf(line: string, uri: string): Variant {
  const { attributes } = entryOf(line);
  const [width = 0, height = 0] = (attributes.get("RESOLUTION") ?? "").split("x").map(Number);
  const range = attributes.get("VIDEO-RANGE");
  return {
    line,
    uri,
    attributes,
    width,
    height,
    codec: attributes.get("CODECS")?.split(",")[0] ?? "",
    range: range === "PQ" || range === "HLG" ? range : "SDR",
  };
}

function entryOf(line: string): Entry {
  const pairs = [...line.slice(line.indexOf(":") + 1).matchAll(ATTRIBUTE)];
  return {
    line,
    attributes: new Map(pairs.map(([, name = "", value = ""]) => [name, value.replaceAll('"', "")])),
  };
}
