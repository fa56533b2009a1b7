/** What an owner may ask for when a master is made into a package. */

/** Codecs of the picture, each a whole ladder of its own over the same cut points. */
export type VideoCodec = "h264" | "hevc" | "av1";

/** What CPU time is worth beside bytes: which preset each encoder works at (docs/decisions/per-title.md has their prices). */
export type Speed = "fast" | "balanced" | "small";

/** `title`: rungs chosen by what trial encodes of the film tell; `table`: the same rungs for every film. */
export type LadderChoice = "title" | "table";

/** Whom it is made before: `backfill` comes after all that is `normal`, of every tenant. */
export type LaneChoice = "normal" | "backfill";

/** Whether encoders in hardware may make the H.264 of a film, where a worker has some. */
export type HardwareChoice = "never" | "allow";

/** Encoders in hardware, by the way to them. */
export type HardwareFamily = "nvenc" | "qsv" | "vaapi";
/** `auto`: a master that is already what the top rung would be is sent on as it is; `never`: it is encoded all the same. */
export type RemuxChoice = "auto" | "never";
/** How strangers are kept from what was made, beside grants; no DRM (docs/decisions/clear-key.md). */
export type Protection = "clearkey";

export interface EncodingChoice {
  /** H.264 is always among them: it is what every player has. In the order in which they are made. */
  codecs: VideoCodec[];
  /** Absent: `fast`. */
  speed?: Speed;
  /** Absent: `table`, which needs no look at the film before its first chunk is made. */
  ladder?: LadderChoice;
  /** Absent: `normal` for what nobody can watch yet, `backfill` for what replaces something on air. No byte depends on it. */
  lane?: LaneChoice;
  /** Absent: `never`. */
  hardware?: HardwareChoice;
  /** Absent: `auto`. */
  remux?: RemuxChoice;
  /** Absent: media lies as it is. */
  protection?: Protection;
}

/** Codecs that can be protected: of AV1 only tiles may be encrypted, and where those begin takes a whole parser to find. */
export const PROTECTABLE: ReadonlySet<VideoCodec> = new Set(["h264", "hevc"]);

export const DEFAULT_ENCODING: EncodingChoice = { codecs: ["h264"] };

const DEFAULT_SPEED: Speed = "fast";

/** The speed that a choice comes to. */
export function speedOf({ speed }: EncodingChoice): Speed {
  return speed ?? DEFAULT_SPEED;
}

/** The encoders' own names for it: x264 and x265 by words, SVT-AV1 by a number that falls as it takes longer. */
export const PRESETS: Record<Speed, Record<VideoCodec, string>> = {
  fast: { h264: "veryfast", hevc: "veryfast", av1: "10" },
  balanced: { h264: "faster", hevc: "veryfast", av1: "9" },
  small: { h264: "medium", hevc: "fast", av1: "8" },
};

/**
 * SVT-AV1's from its version 4 on, where each stands for much less work than before (docs/decisions/codecs.md), up to 1080p and
 * above: there the slower ones hold more memory than a worker gives one encode.
 */
export const RECENT_AV1_PRESETS: Record<"upTo1080p" | "above", Record<Speed, string>> = {
  upTo1080p: { fast: "9", balanced: "7", small: "5" },
  above: { fast: "9", balanced: "9", small: "8" },
};
