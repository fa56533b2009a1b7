import type { MpdAudio, MpdText, MpdVideo } from "./mpd.ts";
import { type Rational, rational } from "./rational.ts";
import type { SubtitleRole } from "./source.ts";
import { element, escaped } from "./xml.ts";

/** Adaptation sets of an MPD, each made once its number is known. */

const CHANNELS_SCHEME = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";

const ROLE_SCHEME = "urn:mpeg:dash:role:2011";

/** ETSI TS 103 285 table 24 (DVB-DASH): 2 is text for people who do not hear. */
const PURPOSE_SCHEME = "urn:tva:metadata:cs:AudioPurposeCS:2007";

/** 23009-1 table 37. */
const TEXT_ROLES: Record<SubtitleRole, string> = {
  main: "subtitle",
  sdh: "caption",
  forced: "forced-subtitle",
  commentary: "commentary",
};

type SetOf = (id: number) => string;

/** ISO/IEC 23091-2 code points of the colours that we write, as ffmpeg spells them. */
const CODE_POINTS = {
  ColourPrimaries: { bt709: 1, bt470bg: 5, smpte170m: 6, bt2020: 9 },
  TransferCharacteristics: { bt709: 1, smpte170m: 6, "iec61966-2-1": 13, smpte2084: 16, "arib-std-b67": 18 },
  MatrixCoefficients: { bt709: 1, bt470bg: 5, smpte170m: 6, bt2020nc: 9 },
} as const satisfies Record<string, Record<string, number>>;

/**
 * DASH-IF IOP 4.3, 10.5: what the picture's colours are. A client that does not know them must leave an HDR set alone
 * (essential); of the usual range it may do without (supplemental).
 */
function colourProperties({ range, colour }: MpdVideo): string[] {
  const name = range === "SDR" ? "SupplementalProperty" : "EssentialProperty";
  const said: [keyof typeof CODE_POINTS, string][] = [
    ["ColourPrimaries", colour.primaries],
    ["TransferCharacteristics", colour.transfer],
    ["MatrixCoefficients", colour.matrix],
  ];
  return said.flatMap(([scheme, word]) => {
    const points: Record<string, number> = CODE_POINTS[scheme];
    const value = points[word];
    return value === undefined
      ? []
      : [element(name, { schemeIdUri: `urn:mpeg:mpegB:cicp:${scheme}`, value })];
  });
}

export function videoSet(video: readonly MpdVideo[], frameRate: Rational, secured: readonly string[]): SetOf {
  const top = video[0]!;
  const shape = rational(top.width, top.height);
  const rate = frameRate.den === 1 ? `${frameRate.num}` : `${frameRate.num}/${frameRate.den}`;
  return (id) =>
    element(
      "AdaptationSet",
      {
        id,
        contentType: "video",
        mimeType: "video/mp4",
        // Every rung is cut at the same instants, each segment begins with an IDR of a closed GOP (SAP type 1).
        segmentAlignment: "true",
        startWithSAP: 1,
        par: `${shape.num}:${shape.den}`,
        maxWidth: Math.max(...video.map((one) => one.width)),
        maxHeight: Math.max(...video.map((one) => one.height)),
        maxFrameRate: rate,
      },
      [
        ...secured,
        // Properties before Role.
        ...colourProperties(top),
        role("main"),
        segmentTemplate("video", top.timescale, top.durationTicks),
        ...video.map(({ id: name, codec, width, height, measured }) =>
          element("Representation", {
            id: name,
            codecs: codec,
            bandwidth: measured.peakBps,
            width,
            height,
            frameRate: rate,
            sar: "1:1",
          }),
        ),
      ],
    );
}

export function audioSet(track: MpdAudio, before: readonly MpdAudio[], secured: readonly string[]): SetOf {
  return (id) =>
    element(
      "AdaptationSet",
      {
        id,
        contentType: "audio",
        mimeType: "audio/mp4",
        lang: track.language,
        segmentAlignment: "true",
        startWithSAP: 1,
      },
      [
        ...secured,
        element("Label", {}, [escaped(track.label)], true),
        // 23009-1 5.8.5.5: the same scheme also names what serves accessibility.
        ...(track.role === "description"
          ? [element("Accessibility", { schemeIdUri: ROLE_SCHEME, value: "description" })]
          : []),
        role(audioRole(track, before)),
        segmentTemplate("audio", track.timescale, track.durationTicks),
        element(
          "Representation",
          {
            id: track.id,
            codecs: track.codec,
            bandwidth: track.measured.peakBps,
            audioSamplingRate: track.sampleRateHz,
          },
          [element("AudioChannelConfiguration", { schemeIdUri: CHANNELS_SCHEME, value: track.channels })],
        ),
      ],
    );
}

/** 23009-1 5.3.9.2: a representation of one file needs no segment addressing, only its BaseURL. */
export function textSet({ id: name, uri, language, label, role: purpose, bandwidthBps }: MpdText): SetOf {
  return (id) =>
    element("AdaptationSet", { id, contentType: "text", mimeType: "text/vtt", lang: language }, [
      element("Label", {}, [escaped(label)], true),
      ...(purpose === "sdh" ? [element("Accessibility", { schemeIdUri: PURPOSE_SCHEME, value: 2 })] : []),
      role(TEXT_ROLES[purpose]),
      element("Representation", { id: name, bandwidth: bandwidthBps }, [
        element("BaseURL", {}, [escaped(uri)], true),
      ]),
    ]);
}

/** One main track for each language and number of channels; more of them replace it. */
function audioRole(track: MpdAudio, before: readonly MpdAudio[]): string {
  if (track.role === "commentary") return "commentary";
  const isFirst = before.every(
    ({ language, channels }) => language !== track.language || channels !== track.channels,
  );
  return track.role === "main" && isFirst ? "main" : "alternate";
}

function role(value: string): string {
  return element("Role", { schemeIdUri: ROLE_SCHEME, value });
}

function segmentTemplate(folder: string, timescale: number, durationTicks: readonly number[]): string {
  return element(
    "SegmentTemplate",
    {
      timescale,
      initialization: `${folder}/$RepresentationID$/init.mp4`,
      media: `${folder}/$RepresentationID$/$Number%05d$.m4s`,
      startNumber: 0,
    },
    [element("SegmentTimeline", {}, timelineRuns(durationTicks))],
  );
}

/** 5.3.9.6: equal durations in a row are one S whose `r` counts the repeats. */
function timelineRuns(durationTicks: readonly number[]): string[] {
  const runs: { d: number; r: number }[] = [];
  for (const d of durationTicks) {
    const last = runs.at(-1);
    if (last?.d === d) last.r += 1;
    else runs.push({ d, r: 0 });
  }
  return runs.map(({ d, r }, index) =>
    element("S", { ...(index === 0 ? { t: 0 } : {}), d, ...(r > 0 ? { r } : {}) }),
  );
}
