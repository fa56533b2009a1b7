/** What an owner may ask for when a master is made into a package. */

/** Codecs of the picture, each a whole ladder of its own over the same cut points. */
export type VideoCodec = "h264" | "hevc" | "av1";

export interface EncodingChoice {
  /** H.264 is always among them: it is what every player has. In the order in which they are made. */
  codecs: VideoCodec[];
}

export const DEFAULT_ENCODING: EncodingChoice = { codecs: ["h264"] };
