import { createHash } from "node:crypto";
import { DEFAULT_ENCODING, type EncodingChoice } from "./encoding.ts";
import { buildLadder, type Ladder, type Rung } from "./ladder.ts";
import { type PicturePlan, planPicture, shownTiming } from "./picture.ts";
import type { AudioRole, Source, SourceAudio } from "./source.ts";
import { buildChunks, buildTimeline, type Chunk, type Timeline } from "./timeline.ts";
import { planTrickPlay, type TrickPlay } from "./trick-play.ts";

export interface AudioTrack {
  id: string;
  streamIndex: number;
  /** BCP-47. */
  language: string;
  /** What a person is shown where the file names the track; null otherwise. */
  label: string | null;
  role: AudioRole;
  channels: 2 | 6;
  sampleRateHz: number;
  bitrateBps: number;
}

/** How frames get onto the timeline: counted as they come, or re-timed to the nearest place. */
export type FrameTiming = "count" | "retime";

/**
 * Everything that will be made, decided before any of it is: sizes, cut points, keys. A pure function of
 * the probed source, the settings and the encoder's build, so any machine can fill any cell of it.
 */
export interface Plan {
  formatVersion: number;
  /** Which build encodes: init segments differ between builds, so one title has one. */
  encoderBuild: string;
  preset: string;
  timeline: Timeline;
  timing: FrameTiming;
  picture: PicturePlan;
  ladders: Ladder[];
  trickPlay: TrickPlay;
  chunks: Chunk[];
  /** Stereo of every track, then 5.1 of those that have it; within each from the general to the specific. */
  audio: AudioTrack[];
  /** Loudness that every sound track is brought to; null leaves it as it is. */
  loudnessTargetLufs: number | null;
}

export interface PlanSettings {
  encoding: EncodingChoice;
  preset: string;
  audioBitrateBps: number;
  surroundBitrateBps: number;
  loudnessTargetLufs: number | null;
}

export const DEFAULT_PLAN_SETTINGS: PlanSettings = {
  encoding: DEFAULT_ENCODING,
  preset: "veryfast",
  audioBitrateBps: 128_000,
  // Apple 2.9: 5.1 AAC at 320 kbit/s.
  surroundBitrateBps: 320_000,
  loudnessTargetLufs: -16,
};

/** Raised whenever the same plan would make other bytes: old cells are then never mixed with new ones. */
const FORMAT_VERSION = 5;

/** The plan for a source. Same input, same bytes of JSON. */
export function buildPlan(source: Source, settings: PlanSettings, encoderBuild: string): Plan {
  const picture = planPicture(source.video);
  const { frameRate, frameCount } = shownTiming(source.video, picture.deinterlace);
  const timeline = buildTimeline(frameRate, frameCount);
  const ladders: Ladder[] = [
    {
      id: "h264",
      codec: "h264",
      range: "SDR",
      rungs: buildLadder(source.video.width, source.video.height),
    },
  ];
  return {
    formatVersion: FORMAT_VERSION,
    encoderBuild,
    preset: settings.preset,
    timeline,
    timing: source.video.variableFrameRate ? "retime" : "count",
    picture,
    ladders,
    trickPlay: planTrickPlay(ladders),
    chunks: buildChunks(timeline),
    audio: audioTracks(source.audio, settings),
    loudnessTargetLufs: settings.loudnessTargetLufs,
  };
}

/** Every rung of every ladder, ladder by ladder. */
export function allRungs(plan: Pick<Plan, "ladders">): Rung[] {
  return plan.ladders.flatMap(({ rungs }) => rungs);
}

/** Apple 9.17: from the general to the specific. */
const ROLE_ORDER: readonly AudioRole[] = ["main", "commentary", "description"];
const SURROUND_CHANNELS = 6;

/** Apple 2.3: stereo always; 5.1 beside it where the source has at least that many channels. */
function audioTracks(source: readonly SourceAudio[], settings: PlanSettings): AudioTrack[] {
  const ordered = source
    .map((track, index) => ({ track, index }))
    .sort((a, b) => ROLE_ORDER.indexOf(a.track.role) - ROLE_ORDER.indexOf(b.track.role));
  const describe = ({ streamIndex, language, label, role }: SourceAudio) => ({
    streamIndex,
    language,
    label,
    role,
    sampleRateHz: 48_000,
  });
  const stereo = ordered.map(
    ({ track, index }): AudioTrack => ({
      id: `a${index}`,
      ...describe(track),
      channels: 2,
      bitrateBps: settings.audioBitrateBps,
    }),
  );
  const surround = ordered
    .filter(({ track }) => track.channels >= SURROUND_CHANNELS)
    .map(
      ({ track, index }): AudioTrack => ({
        id: `a${index}-51`,
        ...describe(track),
        channels: 6,
        bitrateBps: settings.surroundBitrateBps,
      }),
    );
  return [...stereo, ...surround];
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
