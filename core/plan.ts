import { createHash } from "node:crypto";
import { chooseChunks } from "./chunks.ts";
import type { ContentProtection } from "./clear-key.ts";
import {
  DEFAULT_ENCODING,
  type EncodingChoice,
  type HardwareFamily,
  PRESETS,
  RECENT_AV1_PRESETS,
  type Speed,
  speedOf,
} from "./encoding.ts";
import { buildLadder, type Ladder, type Rung } from "./ladder.ts";
import { type PicturePlan, planPicture, rangeOf, shownTiming } from "./picture.ts";
import { type AudioTrack, addedSound, audioTracks, ownSound } from "./plan-sounds.ts";
import { withCopiedTop } from "./remux.ts";
import type { Sidecar } from "./sidecar.ts";
import type { Source, SourceVideo } from "./source.ts";
import { type SubtitleTrack, subtitleTracks } from "./subtitle-plan.ts";
import { buildTimeline, type Chunk, type Timeline } from "./timeline.ts";
import type { TitleCurve } from "./title-analysis.ts";
import { curveOf, titleRungs } from "./title-ladder.ts";
import { planTrickPlay, type TrickPlay } from "./trick-play.ts";

/**
 * How frames get onto the timeline: counted as they come, re-timed to the nearest place, or placed: thought to stand there, which is not
 * known of every one.
 */
export type FrameTiming = "count" | "retime" | "place";

/**
 * Everything that will be made, decided before any of it is: sizes, cut points, keys. A pure function of
 * the probed source, the settings and the encoder's build, so any machine can fill any cell of it.
 */
export interface Plan {
  formatVersion: number;
  /** Which build encodes: init segments differ between builds, so one title has one. */
  encoderBuild: string;
  speed: Speed;
  /** x264's at that speed. */
  preset: string;
  /** What makes the H.264 in its place: one title has one encoder. Absent where it is x264. */
  hardware?: HardwareFamily;
  timeline: Timeline;
  timing: FrameTiming;
  picture: PicturePlan;
  ladders: Ladder[];
  trickPlay: TrickPlay;
  chunks: Chunk[];
  /** Stereo of every track, then 5.1 of those that have it; within each from the general to the specific. */
  audio: AudioTrack[];
  /** Text of the master and beside it, from the general to the specific. */
  subtitles: SubtitleTrack[];
  /** Loudness that every sound track is brought to; null leaves it as it is. */
  loudnessTargetLufs: number | null;
  /** Absent: media lies as it is. */
  protection?: ContentProtection;
}

export interface PlanSettings {
  encoding: EncodingChoice;
  /** x264's in place of the speed's own; null leaves it at that. */
  preset: string | null;
  audioBitrateBps: number;
  surroundBitrateBps: number;
  loudnessTargetLufs: number | null;
  /** Encoders in hardware that the planning worker has. */
  hardware: HardwareFamily | null;
  /** Its build with a recent encoder of AV1, which need not be the one that encodes the rest; null where it has none. */
  recentAv1Build: string | null;
  /** The key that the asset's media is under. */
  protection?: ContentProtection;
}

export const DEFAULT_PLAN_SETTINGS: PlanSettings = {
  encoding: DEFAULT_ENCODING,
  preset: null,
  audioBitrateBps: 128_000,
  // Apple 2.9: 5.1 AAC at 320 kbit/s.
  surroundBitrateBps: 320_000,
  loudnessTargetLufs: -16,
  hardware: null,
  recentAv1Build: null,
};

/** Raised whenever the same plan would make other bytes: old cells are then never mixed with new ones. */
const FORMAT_VERSION = 14;

/**
 * The plan for a source and the files beside it. Same input, same bytes of JSON. Sound whose file has not been probed
 * has no track; a codec without a curve of this film has the table's ladder.
 */
export function buildPlan(
  source: Source,
  settings: PlanSettings,
  encoderBuild: string,
  sidecars: readonly Sidecar[] = [],
  curves: readonly TitleCurve[] = [],
): Plan {
  const picture = planPicture(source.video);
  const { frameRate, frameCount } = shownTiming(source.video, picture.deinterlace);
  const timeline = buildTimeline(frameRate, frameCount);
  const { remux } = settings.encoding;
  const ladders = planLadders(source.video, picture, settings, curves).map((ladder) =>
    withCopiedTop(ladder, source, picture, timeline, remux),
  );
  return {
    formatVersion: FORMAT_VERSION,
    encoderBuild,
    speed: speedOf(settings.encoding),
    preset: settings.preset ?? PRESETS[speedOf(settings.encoding)].h264,
    ...hardwareOf(settings),
    timeline,
    timing: timingOf(source.video),
    picture,
    ladders,
    trickPlay: planTrickPlay(ladders),
    chunks: chooseChunks(timeline, source.video.keyframeSeconds),
    audio: audioTracks([...source.audio.map(ownSound), ...sidecars.flatMap(addedSound)], settings),
    subtitles: subtitleTracks(source, sidecars),
    loudnessTargetLufs: settings.loudnessTargetLufs,
    ...(settings.protection === undefined ? {} : { protection: settings.protection }),
  };
}

function timingOf({ variableFrameRate, isReckoned }: SourceVideo): FrameTiming {
  if (isReckoned === true) return "place";
  return variableFrameRate ? "retime" : "count";
}

/** Where it is allowed and there; a film's own ladder was found with x264, and says nothing of another encoder. */
function hardwareOf({ encoding, hardware }: PlanSettings): Pick<Plan, "hardware"> {
  const isUsed = encoding.hardware === "allow" && encoding.ladder !== "title" && hardware !== null;
  return isUsed ? { hardware } : {};
}

/** The hardware without which a worker cannot do a task; null where any can. */
export function hardwareFor(
  { kind, part }: { kind: string; part: string },
  plan: Pick<Plan, "hardware" | "ladders"> | null,
): HardwareFamily | null {
  const ladder = kind === "video" ? plan?.ladders.find(({ id }) => id === part) : undefined;
  return plan === null || ladder === undefined ? null : hardwareOfLadder(plan, ladder);
}

/** The build without which a worker cannot do a task, where that is another than the plan's; null where any can. */
export function recentBuildFor(
  { kind, part }: { kind: string; part: string },
  plan: Pick<Plan, "ladders"> | null,
): string | null {
  if (kind !== "video") return null;
  return plan?.ladders.find(({ id }) => id === part)?.encoder?.build ?? null;
}

/** The hardware that encodes this ladder; null where software does. */
export function hardwareOfLadder(
  { hardware }: Pick<Plan, "hardware">,
  { codec }: Pick<Ladder, "codec">,
): HardwareFamily | null {
  return codec === "h264" ? (hardware ?? null) : null;
}

/**
 * A ladder for each codec that was asked for, H.264 first; and where HEVC is among them, a master in HDR is also kept
 * as it is (docs/decisions/codecs.md). A codec whose encoder takes no picture so small has none.
 */
function planLadders(
  video: SourceVideo,
  picture: PicturePlan,
  { encoding, recentAv1Build }: PlanSettings,
  curves: readonly TitleCurve[],
): Ladder[] {
  const { width, height, hdr } = video;
  const range = rangeOf(picture);
  const ladders = encoding.codecs.flatMap((codec): Ladder[] => {
    // H.264's folders are named by the size alone: what was there first.
    const prefix = codec === "h264" ? "" : `${codec}-`;
    const curve = encoding.ladder !== "title" ? null : curveOf(curves, codec, speedOf(encoding));
    const own = curve && titleRungs(width, height, curve, prefix);
    const rungs = own ?? buildLadder(width, height, codec, prefix);
    const plain: Ladder = { id: codec, codec, range: "SDR", rungs };
    if (codec === "av1" && recentAv1Build !== null)
      return [{ ...plain, encoder: { build: recentAv1Build, preset: recentPreset(rungs, encoding) } }];
    if (codec !== "hevc" || range === "SDR") return [plain];
    const hdrRungs = buildLadder(width, height, codec, "hevc-hdr-");
    const kept: Ladder = { id: "hevc-hdr", codec, range, rungs: hdrRungs };
    return [plain, range === "PQ" && hdr !== undefined ? { ...kept, hdr } : kept];
  });
  return ladders.filter(({ rungs }) => rungs.length > 0);
}

function recentPreset([top]: readonly Rung[], encoding: EncodingChoice): string {
  const isAbove = top !== undefined && Math.min(top.width, top.height) > 1080;
  return RECENT_AV1_PRESETS[isAbove ? "above" : "upTo1080p"][speedOf(encoding)];
}

/** Every rung of every ladder, ladder by ladder. */
export function allRungs(plan: Pick<Plan, "ladders">): Rung[] {
  return plan.ladders.flatMap(({ rungs }) => rungs);
}

/**
 * The generation: names the bytes that this plan makes of this source. `sourceIdentity` must change
 * whenever the master's bytes do (ETag and size). 80 bits: collisions only matter within one asset.
 */
export function generationOf(plan: Plan, sourceIdentity: string): string {
  return createHash("sha256")
    .update(JSON.stringify([sourceIdentity, plan]))
    .digest("hex")
    .slice(0, 20);
}
