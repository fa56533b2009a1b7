import { keyAttributes, protectionElements } from "../../core/clear-key.ts";
import type { FragmentFacts, ObjectFacts, TrackFacts } from "../../core/conformance/object-facts.ts";
import { describeText, UNKNOWN_TRANSPORT } from "../../core/conformance/object-facts.ts";
import { PICTURE_PATTERN, SOUND_PATTERN } from "../../core/track-protection.ts";

/**
 * For every rule a good package, broken. Each works on facts of its own copy: texts and what was read from boxes.
 * Package: two rungs (360p, 234p), pictures for seeking, two AAC tracks, three segments of 6, 6 and 1 s at 24 frames a second.
 */

/**
 * One rule's broken variant: how the good package is broken, and which other rules cannot but see it too. Of a rule
 * that the package as it is does not meet, the other way round: how it is mended.
 */
export type Mutation =
  | { rule: string; break(bench: Bench): void; also?: readonly string[] }
  | { rule: string; mend(bench: Bench): void };

const MAIN = "main.m3u8";
const VIDEO = ["video/360p/", "video/234p/"];
/** Pictures for seeking alone, in the size of the smaller rung. */
const TRICK = "video/trick/";
const AUDIO = ["audio/a0/", "audio/a1/"];
const SDH_BOTH =
  "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";

/** The objects of a package and the ways to break them. */
export class Bench {
  readonly objects: Map<string, ObjectFacts>;

  constructor(good: ReadonlyMap<string, ObjectFacts>) {
    this.objects = structuredClone(new Map(good));
  }

  at(path: string): ObjectFacts {
    const object = this.objects.get(path);
    if (object === undefined) throw new Error(`no ${path}`);
    return object;
  }

  /** Replaces in a text; a pattern that is not there is a mistake of the table. */
  text(path: string, from: string | RegExp, to: string): void {
    const object = this.at(path);
    const text = (object.text ?? "").replace(from, to);
    if (text === object.text) throw new Error(`${path} has no ${from}`);
    object.text = text;
  }

  main(from: string | RegExp, to: string): void {
    this.text(MAIN, from, to);
  }

  /** Adds lines to the multivariant playlist, before its first variant. */
  line(...lines: string[]): void {
    this.main(/#EXT-X-STREAM-INF/, `${lines.join("\n")}\n#EXT-X-STREAM-INF`);
  }

  init(folder: string, change: Partial<TrackFacts>): void {
    const { init } = this.at(`${folder}init.mp4`);
    if (init === null) throw new Error(`${folder} has no init`);
    Object.assign(init, change);
  }

  videoInits(change: Partial<TrackFacts>): void {
    for (const folder of VIDEO) this.init(folder, change);
  }

  fragments(folder: string, segment: number): FragmentFacts[] {
    return this.at(`${folder}0000${segment}.m4s`).fragments;
  }

  /** Says of every picture, and of its init segment, that it is another codec. */
  codec(sampleEntry: string, change: Partial<TrackFacts>, codec = `${sampleEntry}.1`): void {
    for (const folder of [...VIDEO, TRICK]) this.init(folder, { sampleEntry, codec, ...change });
    // The first byte of an IDR's NAL unit in HEVC.
    if (sampleEntry === "hvc1")
      for (const folder of [...VIDEO, TRICK])
        for (const segment of [0, 1, 2])
          for (const fragment of this.fragments(folder, segment)) fragment.firstNals = [19 << 1];
    this.main(/avc1\.[0-9a-f]{6}/g, codec);
    if (this.objects.has("main.mpd")) this.text("main.mpd", /avc1\.[0-9a-f]{6}/g, codec);
  }

  /** Says of the whole package that it is HDR10 in HEVC, with all that belongs to it. */
  hdr10(): void {
    this.codec("hvc1", { profile: 2, level: 30, primaries: 9, transfer: 16 });
    this.videoInits({ messages: [137, 144], boxes: ["mdcv", "clli"] });
    this.main(/VIDEO-RANGE=SDR/g, "VIDEO-RANGE=PQ");
    this.text("main.mpd", /TransferCharacteristics" value="\d+"/, 'TransferCharacteristics" value="16"');
    this.text("main.mpd", /SupplementalProperty/g, "EssentialProperty");
  }

  /** Adds a subtitle track of three WebVTT segments, to HLS and MPD; `cues` are the texts of the segments. */
  subtitles(
    attributes = 'NAME="English",LANGUAGE="en",AUTOSELECT=YES',
    extinf = ["6.000000", "6.000000", "1.000000"],
    { id = "s0", cues = ["", "", ""] } = {},
  ): void {
    const uri = `text/${id}/media.m3u8`;
    this.line(`#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",${attributes},URI="${uri}"`);
    if (id === "s0") this.main(/AUDIO="audio"/g, 'AUDIO="audio",SUBTITLES="text"');
    const playlist = [
      ...["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:6", "#EXT-X-PLAYLIST-TYPE:VOD"],
      ...extinf.flatMap((seconds, index) => [`#EXTINF:${seconds},`, `0000${index}.vtt`]),
      "#EXT-X-ENDLIST",
    ].join("\n");
    // Apple 9.13: room for what the texts themselves need.
    const wider = (_: string, bps: string): string => `STREAM-INF:BANDWIDTH=${Number(bps) + 1_000}`;
    const main = this.at(MAIN);
    main.text = (main.text ?? "").replace(/STREAM-INF:BANDWIDTH=(\d+)(?=[^\n]*SUBTITLES=)/g, wider);
    const vtt = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n";
    this.add(uri, playlist);
    extinf.forEach((_, index) => {
      this.add(`text/${id}/0000${index}.vtt`, vtt + (cues[index] ?? ""));
    });
    this.add(`text/${id}/whole.vtt`, `WEBVTT\n\n${cues.join("\n")}`);
    const representation = `<Representation id="${id}" bandwidth="100"><BaseURL>text/${id}/whole.vtt</BaseURL></Representation>`;
    const set = `<AdaptationSet id="9" contentType="text" mimeType="text/vtt" lang="en">${representation}</AdaptationSet>`;
    this.text("main.mpd", "</Period>", `${set}</Period>`);
  }

  /** Says of the whole package that it is protected, with all that belongs to it. */
  protect(): void {
    const key = keyAttributes(PROTECTION);
    for (const folder of [...VIDEO, TRICK, ...AUDIO]) {
      const isSound = AUDIO.includes(folder);
      const pattern = isSound ? SOUND_PATTERN : PICTURE_PATTERN;
      this.init(folder, { protection: { ...PROTECTION, pattern, ivBytes: 16 } });
      for (const segment of isSound ? [] : [0, 1, 2])
        for (const fragment of this.fragments(folder, segment)) fragment.tellsSamples = true;
    }
    for (const path of this.objects.keys())
      if (/^(video|audio).*\.m3u8$/.test(path)) this.text(path, /(#EXT-X-MAP:.*)/, `$1\n#EXT-X-KEY:${key}`);
    this.line(`#EXT-X-SESSION-KEY:${key}`);
    const elements = protectionElements(PROTECTION).map((attributes) => {
      const said = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
      return `<ContentProtection ${said.join(" ")}/>`;
    });
    this.text("main.mpd", /<AdaptationSet[^>]*>/g, `$&${elements.join("")}`);
  }

  add(path: string, text: string): void {
    this.objects.set(path, describeText(path, text, text.length, UNKNOWN_TRANSPORT));
  }

  /** Makes all frames of the video as many ticks long as at this rate; playlists and MPD are not told. */
  frameTicks(sampleTicks: number): void {
    for (const folder of VIDEO)
      for (const segment of [0, 1, 2])
        for (const fragment of this.fragments(folder, segment)) fragment.sampleTicks = sampleTicks;
  }
}

const PROTECTION = { scheme: "cbcs", keyId: "0123456789abcdef0123456789abcdef" } as const;
const ENCRYPTED = (bench: Bench, key: string): void =>
  bench.text("video/360p/media.m3u8", "#EXTINF", `#EXT-X-KEY:${key}\n#EXTINF`);
/** What a package lacks that is HDR and HEVC alone. */
const HDR_ALONE = ["1.12", "1.24", "6.14", "6.16"];
const DESCRIPTION = 'CHARACTERISTICS="public.accessibility.describes-video"';

export const MUTATIONS: readonly Mutation[] = [
  // Video elementary stream.
  { rule: "1.1", break: (b) => b.codec("vp09", {}), also: ["6.14", "1.12"] },
  {
    rule: "1.2",
    break: (b) => {
      b.at("video/360p/00002.m4s").fragments = [];
    },
    also: ["6.10", "8.3", "dash-timeline", "cmaf-switching", "8.22"],
  },
  {
    rule: "1.5",
    break: (b) => {
      b.codec("hvc1", { profile: 1, level: 30 });
      b.at("video/360p/00002.m4s").fragments = [];
    },
    also: ["6.10", "1.12", "8.3", "dash-timeline", "cmaf-switching", "6.14", "8.22"],
  },
  {
    rule: "1.39",
    break: (b) => {
      b.codec("av01", { level: 30 });
      b.at("video/360p/00002.m4s").fragments = [];
    },
    also: ["6.10", "1.12", "8.3", "dash-timeline", "cmaf-switching", "6.14", "8.22"],
  },
  { rule: "1.3a", break: (b) => b.videoInits({ level: 42 }), also: ["1.11"] },
  { rule: "1.3b", break: (b) => b.init("video/360p/", { level: 60 }), also: ["1.11"] },
  { rule: "1.4", break: (b) => b.init("video/360p/", { profile: 77 }) },
  { rule: "1.6a", break: (b) => b.codec("hvc1", { profile: 1, level: 41 }), also: ["1.12", "6.14"] },
  {
    rule: "1.6b",
    break: (b) => {
      b.codec("hvc1", { profile: 1, level: 30 });
      b.init("video/360p/", { level: 60 });
    },
    also: ["1.12", "6.14"],
  },
  { rule: "1.37", break: (b) => b.codec("av01", { level: 63 }), also: ["1.12", "6.14"] },
  {
    rule: "1.7",
    break: (b) => {
      b.codec("hvc1", { profile: 2, level: 30, transfer: 1 });
      b.main("VIDEO-RANGE=SDR", "VIDEO-RANGE=HLG");
    },
    also: ["1.12", "6.14", "8216-range"],
  },
  {
    rule: "1.8",
    break: (b) => {
      b.hdr10();
      b.videoInits({ messages: [137] });
    },
    also: HDR_ALONE,
  },
  {
    rule: "1.35",
    break: (b) => {
      b.hdr10();
      b.videoInits({ boxes: ["mdcv"] });
    },
    also: HDR_ALONE,
  },
  {
    rule: "1.24",
    break: (b) => {
      b.main(
        /(STREAM-INF:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+,[^\n]*mp4a[^\n]*)VIDEO-RANGE=SDR/g,
        "$1VIDEO-RANGE=HLG",
      );
    },
    also: ["8216-range"],
  },
  { rule: "1.10", break: (b) => b.videoInits({ sampleEntry: "avc3" }) },
  { rule: "1.11", break: (b) => b.init("video/360p/", { level: 41 }) },
  { rule: "1.12", break: (b) => b.codec("hvc1", { profile: 1, level: 30 }), also: ["6.14"] },
  {
    rule: "1.13",
    break: (b) => {
      for (const f of b.fragments("video/360p/", 0).slice(1)) {
        f.firstSyncTicks = null;
        f.lastSyncTicks = null;
      }
    },
  },
  { rule: "1.14", break: (b) => b.init("video/360p/", { progressive: false }) },
  { rule: "1.18", break: (b) => b.frameTicks(24_000 / 12), also: ["1.11"] },
  { rule: "1.19", break: (b) => b.frameTicks(24_000 / 120), also: ["1.18", "1.11"] },
  {
    rule: "1.20",
    break: (b) => {
      b.frameTicks(24_000 / 60);
      b.main("VIDEO-RANGE=SDR", "VIDEO-RANGE=HLG");
    },
    also: ["8216-range"],
  },
  {
    rule: "1.21",
    break: (b) => b.init("video/360p/", { primaries: 9, transfer: 14 }),
    also: ["dash-curve"],
  },
  {
    rule: "1.23",
    break: (b) => {
      for (const folder of VIDEO.slice(1))
        b.init(folder, { sampleEntry: "hvc1", codec: "hvc1.1", profile: 1, level: 30 });
      b.main(/avc1\.64000d/g, "hvc1.1");
      b.text("main.mpd", "avc1.64000d", "hvc1.1");
    },
    // Its samples are still H.264.
    also: ["cmaf-idr"],
  },
  {
    rule: "1.33",
    break: (b) => {
      b.main(/416x234/g, "234x234");
      for (const folder of ["video/234p/", TRICK]) b.init(folder, { width: 234 });
    },
  },
  // Rates.
  { rule: "1.26", break: (b) => b.main(/AVERAGE-BANDWIDTH=(\d)/, "AVERAGE-BANDWIDTH=2$1") },
  { rule: "1.27", break: (b) => b.main(/INF:BANDWIDTH=\d+/, "INF:BANDWIDTH=9000000") },
  {
    rule: "1.30",
    break: (b) => {
      b.at("video/360p/00001.m4s").bytes = 8_000_000;
      b.at("video/360p/00000.m4s").bytes = 1000;
      b.at("video/360p/00002.m4s").bytes = 1000;
    },
    also: ["1.26", "1.27", "9.13", "dash-bandwidth", "1.32"],
  },
  {
    rule: "1.32",
    break: (b) => b.main(/(#EXT-X-STREAM-INF[^\n]*\n[^\n]*\n)(#EXT-X-STREAM-INF[^\n]*\n[^\n]*\n)/, "$2$1"),
  },
  {
    rule: "1.34",
    break: (b) => {
      for (const folder of VIDEO) for (const n of [0, 1, 2]) b.at(`${folder}0000${n}.m4s`).bytes *= 200;
      b.videoInits({ width: 3840, height: 2160 });
    },
    also: ["1.26", "1.27", "9.13", "9.2", "9.4", "dash-bandwidth", "1.11", "1.32"],
  },
  {
    rule: "ios-9.21",
    mend: (b) => {
      for (const n of [0, 1, 2]) b.at(`video/234p/0000${n}.m4s`).bytes = 1;
    },
  },
  // Sound.
  {
    rule: "2.3",
    break: (b) => {
      for (const folder of AUDIO) b.init(folder, { channels: 6 });
      b.main(/CHANNELS="2"/g, 'CHANNELS="6"');
    },
  },
  {
    rule: "2.4",
    break: (b) => {
      for (const folder of AUDIO) b.init(folder, { codec: "mp4a.40.5", explicitSbr: true });
      b.main(/mp4a\.40\.2/g, "mp4a.40.5");
      b.text("main.mpd", /mp4a\.40\.2/g, "mp4a.40.5");
    },
  },
  { rule: "2.6", break: (b) => b.main(/mp4a\.40\.2/g, "mp4a.40.2,ec-3") },
  {
    rule: "2.9",
    break: (b) => {
      for (const n of [0, 1, 2]) b.at(`audio/a1/0000${n}.m4s`).bytes *= 2;
    },
    also: ["1.26", "1.27", "9.13", "dash-bandwidth"],
  },
  { rule: "2.12", break: (b) => b.main('NAME="Deutsch"', 'NAME="Audio description"') },
  {
    rule: "2.13",
    break: (b) =>
      b.main('LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES', `LANGUAGE="de",DEFAULT=NO,${DESCRIPTION}`),
  },
  { rule: "2.27", break: (b) => b.main('LANGUAGE="de",', `${DESCRIPTION},`), also: ["8.10"] },
  {
    rule: "2.15",
    break: (b) => b.text("audio/a1/media.m3u8", /#EXTINF:[\d.]+,\n00002.m4s\n/, ""),
    also: ["8.3", "8.22", "dash-timeline"],
  },
  {
    rule: "2.17",
    break: (b) => {
      b.at("audio/a1/00001.m4s").tracks = 2;
    },
    also: ["cmaf-one-track"],
  },
  {
    rule: "2.19",
    mend: (b) => {
      for (const folder of AUDIO) b.init(folder, { boxes: ["ludt"] });
    },
  },
  { rule: "2.24", break: (b) => b.main(/mp4a\.40\.2/, "mp4a.40.2,mp4a.40.5") },
  {
    rule: "2.26",
    break: (b) => {
      b.init("audio/a1/", { codec: "fLaC", sampleEntry: "fLaC", channels: 6 });
      b.main('DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2"', 'DEFAULT=NO,AUTOSELECT=YES,CHANNELS="6"');
      b.main(/mp4a\.40\.2/g, "mp4a.40.2,fLaC");
      b.text("main.mpd", /(id="a1" codecs=")mp4a\.40\.2/, "$1fLaC");
    },
  },
  // Subtitles.
  { rule: "4.1", mend: (b) => b.subtitles() },
  {
    rule: "4.3",
    break: (b) =>
      b.line(
        '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",LANGUAGE="en",INSTREAM-ID="CC1",URI="cc.m3u8"',
      ),
  },
  {
    rule: "4.4",
    break: (b) => b.line('#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",INSTREAM-ID="CC1"'),
  },
  {
    rule: "4.5",
    break: (b) =>
      b.subtitles(`NAME="English",LANGUAGE="en",AUTOSELECT=YES,CHARACTERISTICS="${SDH_BOTH.split(",")[0]}"`),
  },
  { rule: "4.6", break: (b) => b.subtitles(`NAME="English",LANGUAGE="en",CHARACTERISTICS="${SDH_BOTH}"`) },
  { rule: "4.7", break: (b) => b.subtitles('NAME="English"'), also: ["8.10"] },
  {
    rule: "5.2",
    break: (b) => {
      b.subtitles();
      for (const n of [0, 1, 2]) b.objects.delete(`text/s0/0000${n}.vtt`);
      b.text("text/s0/media.m3u8", /\.vtt/g, ".srt");
      for (const n of [0, 1, 2]) b.add(`text/s0/0000${n}.srt`, "1\n");
    },
    also: ["5.10"],
  },
  {
    rule: "5.3",
    break: (b) => {
      b.subtitles();
      b.text("text/s0/00001.vtt", /X-TIMESTAMP-MAP[^\n]*\n/, "");
    },
  },
  {
    rule: "8216-vtt",
    break: (b) => b.subtitles(undefined, undefined, { cues: ["00:05.000 --> 00:07.000\nover the border\n"] }),
  },
  {
    rule: "vtt-markup",
    break: (b) =>
      b.subtitles(undefined, undefined, {
        cues: ["00:01.000 --> 00:02.000\n<img src=x onerror=alert(1)>\n"],
      }),
  },
  { rule: "8216-forced", break: (b) => b.main('LANGUAGE="de",', 'LANGUAGE="de",FORCED=YES,') },
  { rule: "5.5", break: (b) => b.subtitles(undefined, ["6.000000"]) },
  {
    rule: "5.8",
    break: (b) => {
      b.subtitles();
      b.subtitles('NAME="Forced",LANGUAGE="en",AUTOSELECT=YES,FORCED=YES', undefined, {
        id: "s1",
        cues: ["00:01.000 --> 00:02.000\nA sign in French\n"],
      });
    },
  },
  {
    rule: "5.10",
    break: (b) => {
      b.subtitles();
      for (const n of [0, 1, 2]) b.objects.delete(`text/s0/0000${n}.vtt`);
      b.text("text/s0/media.m3u8", /\.vtt/g, ".m4s");
      b.text("text/s0/media.m3u8", "#EXTINF", '#EXT-X-MAP:URI="init.mp4"\n#EXTINF');
      const like = b.at("audio/a0/init.mp4");
      b.objects.set("text/s0/init.mp4", {
        ...structuredClone(like),
        path: "text/s0/init.mp4",
        init: { ...like.init!, sampleEntry: "stpp", kind: "other", codec: null },
      });
      for (const n of [0, 1, 2])
        b.objects.set(`text/s0/0000${n}.m4s`, {
          ...structuredClone(b.at(`audio/a0/0000${n}.m4s`)),
          path: `text/s0/0000${n}.m4s`,
        });
    },
    also: ["10.4", "1.26", "1.27", "9.13"],
  },
  {
    rule: "5.11",
    break: (b) => {
      b.subtitles();
      b.line(
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="Forced",LANGUAGE="en",FORCED=YES,URI="text/s0/media.m3u8"',
      );
    },
  },
  // Trick play.
  { rule: "6.1", break: (b) => b.main(/#EXT-X-I-FRAME-STREAM-INF[^\n]*\n/g, "") },
  { rule: "6.2", break: (b) => b.main(/#EXT-X-I-FRAME-STREAM-INF[^\n]*video\/trick[^\n]*\n/, "") },
  {
    rule: "6.5",
    break: (b) => b.text("video/360p/iframes.m3u8", /BYTERANGE:(\d+)@/g, "BYTERANGE:$19@"),
    also: ["6.9", "6.7"],
  },
  { rule: "6.6", break: (b) => b.main(/(#EXT-X-I-FRAME-STREAM-INF[^\n]*\n){2}/, "") },
  {
    rule: "6.7",
    break: (b) => b.text("video/360p/iframes.m3u8", /BYTERANGE:(\d+)@/g, "BYTERANGE:$19@"),
    also: ["6.9", "6.5"],
  },
  { rule: "6.8", break: (b) => b.text("video/360p/iframes.m3u8", "#EXT-X-I-FRAMES-ONLY\n", "") },
  { rule: "6.9", break: (b) => b.main(/I-FRAME-STREAM-INF:BANDWIDTH=\d/, "I-FRAME-STREAM-INF:BANDWIDTH=99") },
  { rule: "6.10", break: (b) => b.text("video/360p/iframes.m3u8", /@0\n/, "@8\n") },
  {
    rule: "6.14",
    break: (b) => {
      b.main(/(I-FRAME[^\n]*)avc1\.64001e/, "$1hvc1.1,avc1x");
      b.main(/(I-FRAME[^\n]*)avc1\.\w+/g, "$1hvc1.1");
    },
    also: ["9.3"],
  },
  {
    rule: "6.16",
    break: (b) => b.main(/(I-FRAME[^\n]*)VIDEO-RANGE=SDR/g, "$1VIDEO-RANGE=PQ"),
    also: ["8216-range"],
  },
  // Segmentation.
  {
    rule: "7.1",
    break: (b) => {
      b.text(
        "video/360p/iframes.m3u8",
        "#EXT-X-ENDLIST",
        "#EXTINF:0.1,\n#EXT-X-BYTERANGE:9@0\n00009.m4s\n#EXT-X-ENDLIST",
      );
    },
    also: ["6.10"],
  },
  {
    rule: "7.3",
    break: (b) => {
      b.fragments("audio/a1/", 2)[0]!.baseDecodeTime += 1;
    },
    also: ["dash-timeline"],
  },
  {
    rule: "7.4",
    break: (b) => {
      b.fragments("video/360p/", 2)[0]!.startsWithSync = false;
    },
    also: ["6.10"],
  },
  {
    rule: "7.5",
    break: (b) => {
      for (const folder of [...VIDEO, ...AUDIO]) b.text(`${folder}media.m3u8`, "DURATION:6", "DURATION:7");
    },
  },
  {
    rule: "7.7",
    break: (b) => {
      for (const folder of [...VIDEO, ...AUDIO]) b.text(`${folder}media.m3u8`, "DURATION:6", "DURATION:5");
    },
    also: ["8216-extinf", "7.5"],
  },
  // Media playlists.
  { rule: "8.1", break: (b) => b.text("video/360p/media.m3u8", "#EXTINF:6.000000,", "#EXTINF:5.900000,") },
  { rule: "8.2", break: (b) => b.text("audio/a1/media.m3u8", "DURATION:6", "DURATION:7"), also: ["7.5"] },
  {
    rule: "8.3",
    break: (b) => {
      b.text("audio/a1/media.m3u8", "#EXT-X-ENDLIST", "#EXTINF:1.002667,\n00002.m4s\n#EXT-X-ENDLIST");
    },
    also: ["9.13", "2.15", "7.3", "8.22", "dash-timeline", "cmaf-sequence"],
  },
  { rule: "8.6", break: (b) => b.text("audio/a1/media.m3u8", "TYPE:VOD", "TYPE:EVENT") },
  {
    rule: "8.7",
    break: (b) => {
      for (const n of [0, 1, 2]) for (const f of b.fragments("audio/a1/", n)) f.baseDecodeTime += 48_000;
    },
    also: ["8.22", "dash-timeline"],
  },
  { rule: "8.9", break: (b) => b.main(',AUDIO="audio"', ""), also: ["1.26", "1.27"] },
  { rule: "8.10", break: (b) => b.main('LANGUAGE="de",', "") },
  {
    rule: "8.13",
    break: (b) =>
      b.text("audio/a1/media.m3u8", /(#EXTINF[^\n]*\n00001)/, '#EXT-X-MAP:URI="../a0/init.mp4"\n$1'),
  },
  {
    rule: "8.14",
    break: (b) => b.text("audio/a1/media.m3u8", /(#EXTINF[^\n]*\n00001)/, "#EXT-X-DISCONTINUITY\n$1"),
  },
  { rule: "8.20", break: (b) => b.text("video/234p/iframes.m3u8", /#EXT-X-MAP[^\n]*\n/, ""), also: [] },
  {
    rule: "8.22",
    break: (b) => {
      const [first] = b.fragments("audio/a1/", 1);
      first!.baseDecodeTime += 9_600;
    },
    also: ["7.3", "dash-timeline"],
  },
  {
    rule: "8216-syntax",
    break: (b) => b.text("audio/a1/media.m3u8", "#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-VERSION:7"),
  },
  {
    rule: "8216-extinf",
    break: (b) => b.text("video/360p/iframes.m3u8", /#EXTINF:2\.0+,/, "#EXTINF:2.600000,"),
    also: [],
  },
  { rule: "8216-version", break: (b) => b.text("audio/a1/media.m3u8", "VERSION:7", "VERSION:4") },
  { rule: "8216-endlist", break: (b) => b.text("audio/a1/media.m3u8", "#EXT-X-ENDLIST", "") },
  // Multivariant playlist.
  { rule: "9.1", break: (b) => b.main(/CODECS="avc1[^"]*mp4a[^"]*",/, "") },
  { rule: "9.2", break: (b) => b.main("RESOLUTION=640x360", "RESOLUTION=642x360") },
  { rule: "9.3", break: (b) => b.main(/(I-FRAME[^\n]*)avc1\.64001e/, "$1avc1.42c01e") },
  { rule: "9.4", break: (b) => b.main(/(I-FRAME[^\n]*)640x360/, "$1642x360") },
  {
    rule: "9.5",
    break: (b) => {
      b.at("video/360p/00001.m4s").tracks = 2;
    },
    also: ["cmaf-one-track"],
  },
  {
    rule: "9.6",
    break: (b) =>
      b.main(
        /DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="[^"]*"/,
        'DEFAULT=YES,AUTOSELECT=YES,CHANNELS="6"',
      ),
    also: ["dash-same-set"],
  },
  { rule: "9.7", break: (b) => b.main(/,URI="audio\/a1[^"]*"/, ""), also: ["dash-same-set"] },
  {
    rule: "9.9",
    break: (b) => b.main(/#EXT-X-STREAM-INF[^\n]*\nvideo\/234p[^\n]*\n/, ""),
    also: ["dash-same-set"],
  },
  {
    rule: "9.10",
    break: (b) => {
      b.main(/640x360/g, "1280x720");
      b.init("video/360p/", { width: 1280, height: 720 });
    },
    also: ["1.11"],
  },
  {
    rule: "9.11",
    break: (b) => {
      b.main("#EXT-X-INDEPENDENT-SEGMENTS\n", "");
      for (const folder of VIDEO)
        b.text(`${folder}media.m3u8`, "#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS");
    },
  },
  { rule: "9.12", break: (b) => b.main("#EXT-X-INDEPENDENT-SEGMENTS\n", ""), also: ["9.11"] },
  {
    rule: "9.13",
    break: (b) => {
      const stated = Number(/INF:BANDWIDTH=(\d+)/.exec(b.at(MAIN).text ?? "")?.[1]);
      b.main(`INF:BANDWIDTH=${stated}`, `INF:BANDWIDTH=${Math.round(stated * 0.95)}`);
    },
  },
  { rule: "9.14", break: (b) => b.main(/(#EXT-X-STREAM-INF[^\n]*)AVERAGE-BANDWIDTH=\d+,/, "$1") },
  { rule: "9.15", break: (b) => b.main("FRAME-RATE=24.000,", "") },
  {
    rule: "9.16",
    break: (b) => {
      b.main("VIDEO-RANGE=SDR", "VIDEO-RANGE=HLG");
      b.main(/(#EXT-X-STREAM-INF[^\n]*)VIDEO-RANGE=SDR,/, "$1");
    },
    also: ["8216-range"],
  },
  { rule: "8216-range", break: (b) => b.videoInits({ transfer: 18 }), also: ["dash-curve"] },
  { rule: "9.17", break: (b) => b.main('LANGUAGE="en",', `LANGUAGE="en",${DESCRIPTION},`) },
  { rule: "9.18", break: (b) => b.line('#EXT-X-CONTENT-STEERING:SERVER-URI="steer.json"') },
  { rule: "9.19", break: (b) => b.main("#EXT-X-STREAM-INF:", "#EXT-X-STREAM-INF:SCORE=1.0,") },
  {
    rule: "tvos-9.20",
    break: (b) =>
      b.main(
        /$/,
        '#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=130000,CODECS="mp4a.40.2"\naudio/a0/media.m3u8\n',
      ),
  },
  { rule: "8216-default", break: (b) => b.main("DEFAULT=NO", "DEFAULT=YES") },
  { rule: "8216-name", break: (b) => b.main('NAME="Deutsch"', 'NAME="English"') },
  {
    rule: "8216-members",
    break: (b) =>
      b.line(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="more",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/a0/media.m3u8"',
      ),
  },
  { rule: "8216-groups", break: (b) => b.main("CLOSED-CAPTIONS=NONE", 'CLOSED-CAPTIONS="cc"') },
  // Delivery.
  {
    rule: "8.18",
    break: (b) => {
      b.at("video/360p/00000.m4s").redirected = true;
    },
  },
  {
    rule: "10.1",
    break: (b) => {
      b.at("audio/a1/media.m3u8").gzip = false;
    },
  },
  {
    rule: "10.4",
    break: (b) => {
      b.at("audio/a1/media.m3u8").contentType = "text/plain";
    },
  },
  {
    rule: "11.1",
    break: (b) => {
      b.at("audio/a1/media.m3u8").tls = false;
    },
  },
  {
    rule: "11.4",
    break: (b) => {
      const path = "audio/a1/My Film.m4s";
      b.objects.set(path, { ...b.at("audio/a1/00000.m4s"), path, tls: false });
    },
    also: ["11.1"],
  },
  {
    rule: "13.2",
    break: (b) => ENCRYPTED(b, 'METHOD=AES-128,KEYFORMAT="com.apple.streamingkeydelivery",URI="skd://1"'),
  },
  {
    rule: "13.5",
    break: (b) => {
      ENCRYPTED(b, 'METHOD=SAMPLE-AES,KEYFORMAT="com.apple.streamingkeydelivery",URI="skd://1"');
      b.main(/640x360/g, "1280x720");
      b.init("video/360p/", { width: 1280, height: 720 });
    },
    also: ["9.10", "1.11", "cmaf-protection"],
  },
  {
    rule: "13.7",
    break: (b) => {
      b.protect();
      const pattern = { crypt: 5, skip: 5 };
      b.init("video/360p/", { protection: { ...PROTECTION, pattern, ivBytes: 16 } });
    },
  },
  {
    rule: "13.11",
    break: (b) => ENCRYPTED(b, 'METHOD=SAMPLE-AES-CTR,KEYFORMAT="urn:uuid:edef8ba9",URI="data:,x"'),
    also: ["cmaf-protection"],
  },
  {
    rule: "8216-session-key",
    break: (b) => {
      b.protect();
      b.main(/(SESSION-KEY:.*KEYID=0x)0/, "$1F");
    },
  },
  {
    rule: "cmaf-protection",
    break: (b) => {
      b.protect();
      b.text("audio/a0/media.m3u8", /#EXT-X-KEY.*\n/, "");
    },
  },
  {
    rule: "cmaf-samples",
    break: (b) => {
      b.protect();
      b.fragments("video/360p/", 1)[0]!.tellsSamples = false;
    },
  },
  {
    rule: "dash-protection",
    break: (b) => {
      b.protect();
      b.text("main.mpd", 'default_KID="0', 'default_KID="f');
    },
  },
  // DASH.
  { rule: "dash-mpd", break: (b) => b.text("main.mpd", 'type="static"', 'type="dynamic"') },
  { rule: "dash-same-set", break: (b) => b.text("main.mpd", /<Representation id="234p"[^>]*>/, "") },
  {
    rule: "dash-text",
    break: (b) => {
      b.subtitles();
      b.add("text/s0/whole.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nnot in HLS\n");
    },
  },
  { rule: "dash-timeline", break: (b) => b.text("main.mpd", 'd="24000"', 'd="24001"') },
  { rule: "dash-codecs", break: (b) => b.text("main.mpd", "avc1.64001e", "avc1.64001f") },
  {
    rule: "dash-longest",
    break: (b) => b.text("main.mpd", /maxSegmentDuration="[^"]*"/, 'maxSegmentDuration="PT1S"'),
  },
  { rule: "dash-bandwidth", break: (b) => b.text("main.mpd", 'bandwidth="', 'bandwidth="9') },
  {
    rule: "dash-curve",
    break: (b) => b.text("main.mpd", /(TransferCharacteristics" value=")1"/, '$16"'),
  },
  {
    rule: "dash-duration",
    break: (b) => b.text("main.mpd", 'mediaPresentationDuration="PT13', 'mediaPresentationDuration="PT14'),
  },
  // CMAF.
  {
    rule: "cmaf-boxes",
    break: (b) => {
      b.at("audio/a1/00001.m4s").damage = "box moof is cut off";
    },
  },
  {
    rule: "cmaf-one-track",
    break: (b) => {
      b.at("audio/a1/init.mp4").tracks = 2;
    },
    also: [],
  },
  { rule: "cmaf-brand", break: (b) => b.init("audio/a1/", { brands: ["iso5"] }) },
  { rule: "cmaf-kind", break: (b) => b.init("audio/a1/", { kind: "video" }) },
  {
    rule: "cmaf-sequence",
    break: (b) => {
      b.fragments("audio/a1/", 2)[0]!.sequenceNumber = 1;
    },
  },
  {
    rule: "cmaf-switching",
    break: (b) => {
      const [first, second] = b.fragments("video/234p/", 0);
      first!.durationTicks -= 1000;
      second!.baseDecodeTime -= 1000;
      second!.durationTicks += 1000;
    },
  },
  {
    rule: "cmaf-idr",
    break: (b) => {
      // What x265 begins an open group with: a keyframe that is a CRA.
      b.codec("hvc1", { profile: 1, level: 30 });
      for (const folder of VIDEO) for (const n of [0, 1, 2]) b.fragments(folder, n)[0]!.firstNals = [21 << 1];
    },
    also: ["1.12", "6.14"],
  },
  { rule: "cmaf-channels", break: (b) => b.main('CHANNELS="2"', 'CHANNELS="1"') },
];
