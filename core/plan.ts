import { createHash } from "node:crypto";
import { buildLadder, type Rung } from "./ladder.ts";
import { type PicturePlan, planPicture, shownTiming } from "./picture.ts";
import type { Source, SourceAudio } from "./source.ts";
import { buildChunks, buildTimeline, type Chunk, type Timeline } from "./timeline.ts";

export interface AudioTrack {
  id: string;
  streamIndex: number;
  /** BCP-47. */
  language: string;
  /** What a person is shown where the file names the track; null otherwise. */
  label: string | null;
  channels: 2;
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
  rungs: Rung[];
  chunks: Chunk[];
  audio: AudioTrack[];
}

export interface PlanSettings {
  preset: string;
  audioBitrateBps: number;
}

export const DEFAULT_PLAN_SETTINGS: PlanSettings = { preset: "veryfast", audioBitrateBps: 128_000 };

/** Raised whenever the same plan would make other bytes: old cells are then never mixed with new ones. */
const FORMAT_VERSION = 3;

/** The plan for a source. Same input, same bytes of JSON. */
export function buildPlan(source: Source, settings: PlanSettings, encoderBuild: string): Plan {
  const picture = planPicture(source.video);
  const { frameRate, frameCount } = shownTiming(source.video, picture.deinterlace);
  const timeline = buildTimeline(frameRate, frameCount);
  return {
    formatVersion: FORMAT_VERSION,
    encoderBuild,
    preset: settings.preset,
    timeline,
    timing: source.video.variableFrameRate ? "retime" : "count",
    picture,
    rungs: buildLadder(source.video.width, source.video.height),
    chunks: buildChunks(timeline),
    audio: source.audio.map((track, index) => audioTrack(track, index, settings)),
  };
}

function audioTrack(track: SourceAudio, index: number, settings: PlanSettings): AudioTrack {
  return {
    id: `a${index}`,
    streamIndex: track.streamIndex,
    language: track.language,
    label: track.label,
    channels: 2,
    sampleRateHz: 48_000,
    bitrateBps: settings.audioBitrateBps,
  };
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
