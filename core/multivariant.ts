import type { MeasuredBitrate } from "./bitrate.ts";
import { type ContentProtection, keyAttributes } from "./clear-key.ts";
import { audioGroups, audioLine, iFrameLine, streamLine, subtitleLine } from "./multivariant-lines.ts";
import type { Rational } from "./rational.ts";
import type { AudioRendition, IFrameVariant, SubtitleRendition, VideoVariant } from "./renditions.ts";
import { largestFirst, startFirst } from "./variant-order.ts";
import { scoresOf } from "./variant-scores.ts";

/**
 * The multivariant playlist, from measured bytes only. Ladder by ladder, H.264 first: a player that takes the first
 * variant it meets can play it. Within each a good one to start with first, then largest down.
 */
export function multivariantPlaylist(
  variants: readonly VideoVariant[],
  audio: readonly AudioRendition[],
  frameRate: Rational,
  dense: IFrameVariant,
  subtitles: readonly SubtitleRendition[] = [],
  protection?: ContentProtection,
): string {
  // Apple 9.11: INDEPENDENT-SEGMENTS once, here.
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"];
  // 8216bis 4.4.6.5: the licence can be asked for before the first segment.
  if (protection !== undefined) lines.push(`#EXT-X-SESSION-KEY:${keyAttributes(protection)}`);
  lines.push("");
  const groups = audioGroups(audio);
  for (const group of groups) {
    lines.push(...group.members.map((rendition, index) => audioLine(rendition, group.id, index === 0)), "");
  }
  if (subtitles.length > 0) lines.push(...subtitles.map(subtitleLine), "");
  const ladders = [...Map.groupBy(variants, ({ ladderId }) => ladderId).values()];
  const scores = ladders.length > 1 ? scoresOf(variants) : null;
  for (const ladder of ladders) {
    // 8216bis 4.4.6.2.1: each group of sound beside each picture is a variant of its own.
    for (const group of groups.length > 0 ? groups : [null]) {
      for (const variant of startFirst(ladder, ratesOf))
        lines.push(streamLine(variant, group, subtitles, frameRate, scores?.get(variant)), variant.uri);
      lines.push("");
    }
  }
  for (const ladder of ladders) {
    for (const variant of largestFirst(ladder, ratesOf))
      lines.push(iFrameLine(variant, scores?.get(variant)));
  }
  // Softer than any of them, so below them all.
  lines.push(iFrameLine(dense, scores === null ? undefined : Math.min(...scores.values()) / 2));
  lines.push("");
  return lines.join("\n");
}

function ratesOf({ measured }: VideoVariant): MeasuredBitrate {
  return measured;
}
