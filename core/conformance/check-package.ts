import { AUDIO_RULES } from "./audio.ts";
import { CMAF_RULES } from "./cmaf.ts";
import { DASH_RULES } from "./dash.ts";
import { DELIVERY_RULES } from "./delivery.ts";
import { MEDIA_PLAYLIST_RULES } from "./media-playlists.ts";
import { MULTIVARIANT_RULES } from "./multivariant.ts";
import type { PackageView } from "./package-view.ts";
import { PROTECTION_RULES } from "./protection.ts";
import { RATE_RULES } from "./rates.ts";
import type { Rule, RuleResult } from "./rule.ts";
import { SEGMENTATION_RULES } from "./segmentation.ts";
import { SUBTITLE_RULES } from "./subtitles.ts";
import { TRICK_PLAY_RULES } from "./trick-play.ts";
import { VIDEO_CODEC_RULES } from "./video-codecs.ts";
import { VIDEO_FRAME_RULES } from "./video-frames.ts";
import { VIDEO_RANGE_RULES } from "./video-range.ts";

/** Every rule that can be judged on bytes, in the order of Apple's sections; the others are in docs/conformance.md. */
export const RULES: readonly Rule[] = [
  ...VIDEO_CODEC_RULES,
  ...VIDEO_RANGE_RULES,
  ...VIDEO_FRAME_RULES,
  ...RATE_RULES,
  ...AUDIO_RULES,
  ...SUBTITLE_RULES,
  ...TRICK_PLAY_RULES,
  ...SEGMENTATION_RULES,
  ...MEDIA_PLAYLIST_RULES,
  ...MULTIVARIANT_RULES,
  ...DELIVERY_RULES,
  ...PROTECTION_RULES,
  ...DASH_RULES,
  ...CMAF_RULES,
];

/** Judges a package by every rule. */
export function checkPackage(view: PackageView): RuleResult[] {
  return RULES.map(({ rule, level, judge }) => ({ rule, level, ...judge(view) }));
}

/** The failures that keep a package from being published. */
export function blockingFailures(results: readonly RuleResult[]): RuleResult[] {
  return results.filter(({ level, verdict }) => level === "MUST" && verdict === "fail");
}
