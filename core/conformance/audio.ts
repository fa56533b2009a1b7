import type { PackageView, PlaylistView, VariantView } from "./package-view.ts";
import { each, must, notApplicable, type Rule, should } from "./rule.ts";
import { codecsOf, mediaOf, nameOf, playlistsOf, renditionsOf } from "./selections.ts";

/** Apple HLS authoring specification, section 2: sound. */

const HE_AAC = new Set(["mp4a.40.5", "mp4a.40.29"]);
const DESCRIBES = "public.accessibility.describes-video";
const NO_SOUND = "no sound";

function sounds(view: PackageView): PlaylistView[] {
  return playlistsOf(view, "audio");
}

function allCodecs(view: PackageView): string[] {
  return view.variants.flatMap(({ attributes }) => codecsOf(attributes));
}

function descriptions(view: PackageView) {
  return mediaOf(view, "AUDIO").filter((attributes) =>
    attributes.get("CHARACTERISTICS")?.includes(DESCRIBES),
  );
}

function channelsOf({ attributes }: VariantView): number {
  return Number(attributes.get("CHANNELS")?.split("/")[0]);
}

/** Upper bounds of 2.9 in kbit/s with a quarter's grace for the encoder, by codec and channels. */
function usualKbps(codec: string | null, channels: number): number {
  if (codec === "ec-3") return 192;
  if (codec === "ac-3") return 384;
  return channels > 2 ? 320 : 160;
}

export const AUDIO_RULES: Rule[] = [
  must("2.3", "stereo AAC is there", (view) => {
    if (sounds(view).length === 0) return notApplicable(NO_SOUND);
    const found = sounds(view).some(({ init }) => init?.codec?.startsWith("mp4a.40") && init.channels <= 2);
    return {
      verdict: found ? "pass" : "fail",
      evidence: found ? "found" : "no track is AAC of two channels",
    };
  }),
  should("2.4", "no HE-AAC above 64 kbit/s", (view) =>
    each(
      sounds(view).filter(({ init }) => HE_AAC.has(init?.codec ?? "")),
      "no HE-AAC",
      ({ path, measured }) => (measured.averageBps > 64_000 ? `${path} has ${measured.averageBps}` : null),
    ),
  ),
  must("2.6", "AC-3 too where there is E-AC-3", (view) => {
    const codecs = allCodecs(view);
    if (!codecs.includes("ec-3")) return notApplicable("no E-AC-3");
    const found = codecs.includes("ac-3");
    return { verdict: found ? "pass" : "fail", evidence: found ? "both" : "E-AC-3 alone" };
  }),
  should("2.9", "usual bit rates: stereo AAC up to 160 kbit/s, 5.1 AAC 320, AC-3 384, E-AC-3 192", (view) =>
    each(sounds(view), NO_SOUND, ({ path, measured, init }) =>
      measured.averageBps > usualKbps(init?.codec ?? null, init?.channels ?? 2) * 1250
        ? `${path} has ${measured.averageBps}`
        : null,
    ),
  ),
  // A MUST, but a name is only a hint that a track is one: it does not block.
  should("2.12", "a track named as audio description is marked as one", (view) =>
    each(
      mediaOf(view, "AUDIO").filter((one) => /descri(be|ption)/i.test(one.get("NAME") ?? "")),
      "none is named so",
      (attributes) =>
        attributes.get("CHARACTERISTICS")?.includes(DESCRIBES)
          ? null
          : `${attributes.get("NAME")} lacks ${DESCRIBES}`,
    ),
  ),
  must("2.13", "an audio description is AUTOSELECT=YES", (view) =>
    each(descriptions(view), "no audio description", (one) =>
      one.get("AUTOSELECT") === "YES" ? null : `${one.get("NAME")} is not`,
    ),
  ),
  must("2.27", "an audio description has LANGUAGE", (view) =>
    each(descriptions(view), "no audio description", (one) =>
      one.has("LANGUAGE") ? null : `${one.get("NAME")} has none`,
    ),
  ),
  must("2.15", "alternates cover the full duration", (view) => {
    const whole = Math.max(0, ...playlistsOf(view, "video").map(({ durationSeconds }) => durationSeconds));
    return each(sounds(view), NO_SOUND, ({ path, durationSeconds }) =>
      durationSeconds < whole - 0.1
        ? `${path} has ${durationSeconds.toFixed(3)} of ${whole.toFixed(3)} s`
        : null,
    );
  }),
  must("2.17", "one stream per segment", (view) =>
    each(sounds(view), NO_SOUND, ({ path, segments }) => {
      const bad = segments.find(({ object }) => (object?.tracks ?? 1) > 1);
      return bad ? `${path}: ${bad.uri} has ${bad.object?.tracks} tracks` : null;
    }),
  ),
  should("2.19", "loudness is stated (ludt)", (view) =>
    each(sounds(view), NO_SOUND, ({ path, init }) =>
      init?.boxes.includes("ludt") ? null : `${path} has no ludt box`,
    ),
  ),
  must("2.24", "HE-AAC signals SBR explicitly", (view) => {
    const stated = allCodecs(view).filter((codec) => HE_AAC.has(codec));
    const tracks = sounds(view).filter(({ init }) => init?.explicitSbr || stated.length > 0);
    return each(tracks, "no HE-AAC", ({ path, init }) => (init?.explicitSbr ? null : `${path} does not`));
  }),
  should("2.26", "multichannel AAC beside other multichannel that is not Dolby", (view) => {
    const many = renditionsOf(view, "AUDIO").filter((one) => channelsOf(one) > 2);
    const other = many.filter(({ playlist }) => !/^(mp4a|ac-3|ec-3)/.test(playlist.init?.codec ?? "mp4a"));
    return each(other, "none", (one) =>
      many.some(({ playlist }) => playlist.init?.codec?.startsWith("mp4a"))
        ? null
        : `${nameOf(one)} stands alone`,
    );
  }),
];
