/** How a film can be asked to be encoded, in the API's words (docs/api.md). */

/** What there is to choose from. */
export const ENCODING_WORDS = {
  codecs: ["h264", "hevc", "av1"],
  speed: ["fast", "balanced", "small"],
  ladder: ["table", "title"],
  lane: ["normal", "backfill"],
  hardware: ["never", "allow"],
  remux: ["auto", "never"],
  protection: ["none", "clearkey"],
} as const;

type Words = typeof ENCODING_WORDS;
export type Codec = Words["codecs"][number];

/** Every choice made. H.264 is made whether it is among the codecs or not. */
export type EncodingSettings = { [Name in Exclude<keyof Words, "codecs">]: Words[Name][number] } & {
  codecs: readonly Codec[];
};

/** What a request says of it: what it leaves out is as usual. */
export type EncodingWish = Partial<EncodingSettings>;

/** What becomes of a new film of which nothing is said. */
export const USUAL_ENCODING: EncodingSettings = {
  codecs: ["h264"],
  speed: "fast",
  ladder: "table",
  lane: "normal",
  hardware: "never",
  remux: "auto",
  protection: "none",
};

/** The same for a film that is there: its protection stays, and what replaces something on air comes after all else. */
export function usualWhenAgain(encoding: EncodingWish, isOnAir: boolean): EncodingSettings {
  return {
    ...USUAL_ENCODING,
    lane: isOnAir ? "backfill" : "normal",
    protection: encoding.protection ?? "none",
  };
}

/** What a request has to say so that `settings` come of it, where `usual` come of saying nothing. */
export function wishFor(settings: EncodingSettings, usual: EncodingSettings): EncodingWish {
  const said = Object.entries(settings).filter(
    ([name, value]) => String(value) !== String(usual[name as keyof EncodingSettings]),
  );
  return Object.fromEntries(said);
}

/** Whether what was begun as `begun` can be gone on with where `asked` is asked for now: an upload keeps what it was opened with. */
export function goesOnWith(begun: EncodingWish, asked: EncodingWish): boolean {
  const isAsked = Object.keys(asked).length > 0;
  return !isAsked || JSON.stringify(asked) === JSON.stringify(begun);
}

/** Codecs that there is no protected film of. */
export function unprotectable(codecs: readonly Codec[]): Codec[] {
  return codecs.filter((codec) => codec === "av1");
}
