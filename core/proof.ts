import type { Verdict } from "./conformance/rule.ts";
import type { ProducedTrack } from "./produced-track.ts";

/** What was seen when a package was really played, part by part. */

/**
 * `decodes`: every frame or sample is there and comes out of a decoder without a complaint; `switches`: from one rung to
 * the next at a border; `codecs`: what the playlists say is what was decoded; `times`: at the places of the plan; `sync`:
 * sound beside the picture as in the master; `identity`: the track is the one of the master that it says it is. The rest
 * compares the whole with the master.
 */
export const PROOF_CHECKS = [
  "decodes",
  "switches",
  "codecs",
  "times",
  "sync",
  "identity",
  "tracks",
  "duration",
  "frames",
  "loudness",
] as const;
export type ProofCheck = (typeof PROOF_CHECKS)[number];

/** One thing that was looked at, of one part of the package (`video/1080p`, `audio/a0`, or `package`). */
export interface ProofLine {
  part: string;
  check: ProofCheck;
  verdict: Verdict;
  evidence: string;
}

/** A stretch of the film: where it begins on the film's clock, and how long it is. */
export interface Stretch {
  startSeconds: number;
  seconds: number;
}

/** Which of so many segments of a sound are played: at its start, middle and end. */
export function playedPlaces(segments: number): number[] {
  return [...new Set([0, Math.floor((segments - 1) / 2), segments - 1])];
}

/** When those of a track are heard. */
export function playedStretches({ cells, timescale }: Pick<ProducedTrack, "cells" | "timescale">): Stretch[] {
  return playedPlaces(cells.length).map((place) => ({
    startSeconds: cells.slice(0, place).reduce((ticks, cell) => ticks + cell.durationTicks, 0) / timescale,
    seconds: cells[place]!.durationTicks / timescale,
  }));
}

/** Passes with `evidence` where there is no fault, else fails with all of them. */
export function proved(
  part: string,
  check: ProofCheck,
  faults: readonly string[],
  evidence: string,
): ProofLine {
  if (faults.length === 0) return { part, check, verdict: "pass", evidence };
  return { part, check, verdict: "fail", evidence: faults.join("; ") };
}

/** Nothing could be told, and why. */
export function untold(part: string, check: ProofCheck, why: string): ProofLine {
  return { part, check, verdict: "not_applicable", evidence: why };
}

export function hasFault(lines: readonly ProofLine[]): boolean {
  return lines.some(({ verdict }) => verdict === "fail");
}

/** A stream as a decoder describes it. */
export interface DecodedStream {
  codec: string;
  profile: string;
  level: number;
  width: number;
  height: number;
  channels: number;
}

/** H.264's and HEVC's profiles by their numbers, as ffmpeg spells them. */
const AVC_PROFILES: Record<string, string> = {
  "42": "Baseline",
  "4d": "Main",
  "64": "High",
  "6e": "High 10",
};
const HEVC_PROFILES: Record<string, string> = { "1": "Main", "2": "Main 10" };
const AAC_PROFILES: Record<string, string> = { "2": "LC", "5": "HE-AAC", "29": "HE-AACv2" };

/** What is untrue in a string of CODECS (RFC 6381) about a stream; null where nothing is. */
export function codecFault(stated: string, { codec, profile, level }: DecodedStream): string | null {
  const [entry = "", first = "", second = "", third = ""] = stated.split(".");
  const fault = (means: string): string => `${stated} means ${means}, and it is ${codec} ${profile} ${level}`;
  const same = (a: string | undefined): boolean => profile.replace("Constrained ", "") === a;
  if (entry === "avc1") {
    const named = AVC_PROFILES[first.slice(0, 2).toLowerCase()];
    const isTrue = codec === "h264" && same(named) && level === Number.parseInt(first.slice(4), 16);
    return isTrue
      ? null
      : fault(`h264 ${named ?? "of another profile"} ${Number.parseInt(first.slice(4), 16)}`);
  }
  if (entry === "hvc1") {
    const isTrue = codec === "hevc" && same(HEVC_PROFILES[first]) && level === Number(third.slice(1));
    return isTrue ? null : fault(`hevc ${HEVC_PROFILES[first] ?? "of another profile"} ${third.slice(1)}`);
  }
  if (entry === "av01")
    return codec === "av1" && level === Number.parseInt(second, 10) ? null : fault(`av1 ${second}`);
  if (entry === "mp4a") {
    const isTrue = codec === "aac" && first === "40" && same(AAC_PROFILES[second]);
    return isTrue ? null : fault(`aac ${AAC_PROFILES[second] ?? "of another kind"}`);
  }
  return fault("nothing that is known here");
}
