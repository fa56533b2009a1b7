import type { MeasuredBitrate } from "./bitrate.ts";
import { type ContentProtection, protectionElements } from "./clear-key.ts";
import type { VideoRange } from "./ladder.ts";
import type { Colour } from "./picture.ts";
import { type Rational, rational, secondsText } from "./rational.ts";
import type { AudioRole, SubtitleRole } from "./source.ts";

/** One video representation: a rung of the ladder. `id` names its folder. */
export interface MpdVideo {
  id: string;
  /** Representations of one ladder may replace one another anywhere. */
  ladderId: string;
  codec: string;
  range: VideoRange;
  colour: Colour;
  width: number;
  height: number;
  timescale: number;
  /** Of each segment, in order, in ticks. */
  durationTicks: readonly number[];
  measured: MeasuredBitrate;
}

/** One sound track. `id` names its folder. */
export interface MpdAudio {
  id: string;
  codec: string;
  language: string;
  label: string;
  role: AudioRole;
  channels: number;
  sampleRateHz: number;
  timescale: number;
  durationTicks: readonly number[];
  measured: MeasuredBitrate;
}

/** One text track, as the one file that it is for DASH players. */
export interface MpdText {
  id: string;
  /** Of the file, relative to the MPD. */
  uri: string;
  language: string;
  label: string;
  role: SubtitleRole;
  bandwidthBps: number;
}

export interface MpdInput {
  video: readonly MpdVideo[];
  audio: readonly MpdAudio[];
  text: readonly MpdText[];
  frameRate: Rational;
  frameCount: number;
  /** The longest segment, rounded: what a player must hold before `bandwidth` is enough. */
  targetDurationSeconds: number;
  /** Of pictures and sound. */
  protection?: ContentProtection | undefined;
}

/** ISO/IEC 23009-1 8.4 (live profile: templates, aligned segments) and 8.12 (CMAF). */
const PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019";
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

/** The static MPD over the very segments that the HLS playlists name (ISO/IEC 23009-1). */
export function dashManifest(input: MpdInput): string {
  const { num, den } = input.frameRate;
  const duration = `PT${secondsText(input.frameCount * den, num, 6)}S`;
  // The order of 23009-1 table 5: before all other descriptors.
  const secured =
    input.protection === undefined
      ? []
      : protectionElements(input.protection).map((attributes) => element("ContentProtection", attributes));
  const sets = [
    ...byLadder(input.video).map((video) => videoSet(video, input.frameRate, secured)),
    ...input.audio.map((track, index) => audioSet(track, input.audio.slice(0, index), secured)),
    ...input.text.map(textSet),
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    element(
      "MPD",
      {
        xmlns: "urn:mpeg:dash:schema:mpd:2011",
        profiles: PROFILES,
        type: "static",
        mediaPresentationDuration: duration,
        // 5.3.1.2: with this much buffered, `bandwidth` never starves: no run of segments exceeds it.
        minBufferTime: `PT${input.targetDurationSeconds}S`,
        maxSegmentDuration: `PT${input.targetDurationSeconds}S`,
      },
      [
        element(
          "Period",
          { id: "0", start: "PT0S", duration },
          sets.map((make, id) => make(id)),
        ),
      ],
    ),
    "",
  ].join("\n");
}

type SetOf = (id: number) => string;

/** Representations of one set can replace one another anywhere, so each codec and range has its own (23009-1 5.3.3.1). */
function byLadder(video: readonly MpdVideo[]): MpdVideo[][] {
  return [...Map.groupBy(video, (one) => one.ladderId).values()];
}

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

function videoSet(video: readonly MpdVideo[], frameRate: Rational, secured: readonly string[]): SetOf {
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

function audioSet(track: MpdAudio, before: readonly MpdAudio[], secured: readonly string[]): SetOf {
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
function textSet({ id: name, uri, language, label, role: purpose, bandwidthBps }: MpdText): SetOf {
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

function element(
  name: string,
  attributes: Record<string, string | number>,
  children: readonly string[] = [],
  inline = false,
): string {
  const open = [
    name,
    ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(String(value))}"`),
  ].join(" ");
  if (children.length === 0) return `<${open}/>`;
  if (inline) return `<${open}>${children.join("")}</${name}>`;
  const body = children.flatMap((child) => child.split("\n")).map((line) => `  ${line}`);
  return [`<${open}>`, ...body, `</${name}>`].join("\n");
}

/** XML 1.0 2.4; control characters cannot stand in XML at all (2.2). */
function escaped(text: string): string {
  const allowed = [...text].filter((letter) => letter >= " ").join("");
  return allowed
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
