import type { Rational } from "./rational.ts";

export interface Rung {
  id: string;
  width: number;
  height: number;
  maxBitrateBps: number;
  crf: number;
}
export interface AudioTrack {
  id: string;
  streamIndex: number;
  language: string;
  label: string | null;
  channels: 2;
  bitrateBps: number;
}
/** Everything that will be made, decided before any of it is. */
export interface Plan {
  formatVersion: 1;
  encoder: { build: string };
  timeline: { frameRate: Rational; frameCount: number; framesPerKeyframe: number; framesPerSegment: number };
  rungs: Rung[];
  audio: AudioTrack[];
  chunks: { index: number; firstSegment: number; segmentCount: number }[];
}
