import { resolvePath } from "../core/conformance/package-view.ts";
import { type Attributes, parseMedia } from "../core/conformance/parse-playlist.ts";
import { compareEnvelopes, envelope, type Likeness } from "../core/envelope.ts";
import { readFragments } from "../core/fragments.ts";
import { readInit } from "../core/init-segment.ts";
import type { AudioTrack, Plan } from "../core/plan.ts";
import { codecFault, type ProofLine, proved, untold } from "../core/proof.ts";
import type { Source } from "../core/source.ts";
import { stretchRecipe } from "./audio-recipe.ts";
import { assemble } from "./ffmpeg-command.ts";
import {
  decode,
  decodeFile,
  lookAt,
  type ProofBench,
  putFile,
  readObject,
  readText,
  takeFile,
} from "./proof-bench.ts";

/** Enough to tell voices apart, and little to move. */
const FINGERPRINT_HZ = 8_000;
/** EBU R 37: sound may be 40 ms early or 60 ms late before people notice. */
const LARGEST_OFFSET_SECONDS = 0.04;
/** Coding, gain and limiter leave a track this much like its master; another language is never that much better. */
const LEAST_LIKE = 0.6;
const CLEARLY_MORE_LIKE = 0.05;

/** A track as the playlist names it, with what was heard of it. */
interface Heard {
  part: string;
  attributes: Attributes;
  track: AudioTrack | undefined;
  /** The stretches that were decoded: where each begins on the film's clock, and how loud it is from moment to moment. */
  windows: { startSeconds: number; seconds: number; envelope: number[] }[];
}

/**
 * Plays every sound track at its start, middle and end: samples counted, and what is heard compared with the master's
 * tracks at the same moments, so that no two are exchanged and none is out of step.
 */
export async function proveSounds(
  bench: ProofBench,
  mainPath: string,
  media: readonly Attributes[],
  codecs: readonly string[],
  master: { plan: Plan; source: Source; path: string | null },
): Promise<ProofLine[]> {
  const lines: ProofLine[] = [];
  const heard: Heard[] = [];
  for (const attributes of media.filter((one) => one.get("TYPE") === "AUDIO" && one.has("URI"))) {
    const play = async () => {
      const played = await playTrack(bench, mainPath, attributes, codecs, master.plan.audio);
      heard.push(played.heard);
      return played.lines;
    };
    lines.push(...(await lookAt(attributes.get("URI") ?? "", play)));
  }
  if (heard.length === 0 || master.path === null) return lines;
  const masters = await hearMaster(bench, heard, { ...master, path: master.path });
  return [...lines, ...heard.flatMap((one) => compareWithMaster(one, masters))];
}

async function playTrack(
  bench: ProofBench,
  mainPath: string,
  attributes: Attributes,
  codecs: readonly string[],
  tracks: readonly AudioTrack[],
): Promise<{ lines: ProofLine[]; heard: Heard }> {
  const path = resolvePath(mainPath, attributes.get("URI") ?? "");
  const part = path.slice(0, path.lastIndexOf("/"));
  const { segments } = parseMedia(await readText(bench, path));
  const init = await readObject(bench, resolvePath(path, segments[0]?.map?.uri ?? ""));
  const { timescale, channels } = readInit(init);
  const places = [...new Set([0, Math.floor((segments.length - 1) / 2), segments.length - 1])];
  const cells = await Promise.all(
    places.map((place) => readObject(bench, resolvePath(path, segments[place]!.uri))),
  );
  const spans = cells.map((cell) => spanOf(cell));
  const file = await putFile(bench, "track.mp4", [init, ...cells]);
  const { stream, complaints: inHeader } = await decodeFile(
    bench,
    await putFile(bench, "head.mp4", [init, cells[0]!]),
  );
  const { complaints } = await decode(bench, { program: "ffmpeg", args: assemble(playRecipe(file)) });
  const samples = (await takeFile(bench, "samples.pcm")).length / (2 * channels);
  const expected = spans.reduce((sum, { ticks }) => sum + ticks, 0);
  const isCounted = samples === expected;
  const stated = stream === null ? "nothing could be opened" : trackFault(attributes, codecs, stream);
  return {
    lines: [
      proved(
        part,
        "decodes",
        [...inHeader, ...complaints, ...(isCounted ? [] : [`${samples} of ${expected} samples came out`])],
        `${expected} samples, no complaint`,
      ),
      proved(
        part,
        "times",
        spans[0]!.start === 0 ? [] : [`the first sample is at ${spans[0]!.start}`],
        "the first sample is at nought",
      ),
      proved(part, "codecs", stated === null ? [] : [stated], stream?.codec ?? ""),
    ],
    heard: {
      part,
      attributes,
      track: tracks.find(({ id }) => part === `audio/${id}`),
      windows: cutWindows(await fingerprint(bench, "fingerprint.pcm"), spans, timescale),
    },
  };
}

/** Everything at full rate, to be counted, and one channel at a low one, to be compared. */
function playRecipe(file: string) {
  return {
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error"],
    inputs: [{ options: ["-protocol_whitelist", "file", "-f", "mov", "-threads", "1"], file }],
    outputs: [
      { options: ["-map", "0:a", "-f", "s16le"], file: "/out/samples.pcm" },
      { options: ["-map", "0:a", ...FINGERPRINT], file: "/out/fingerprint.pcm" },
    ],
  };
}

/** One channel, few samples. */
const FINGERPRINT = ["-ac", "1", "-ar", String(FINGERPRINT_HZ), "-f", "s16le"];

function spanOf(cell: Uint8Array): { start: number; ticks: number } {
  const fragments = readFragments(cell);
  const ticks = fragments.flatMap(({ samples }) => samples).reduce((sum, one) => sum + one.durationTicks, 0);
  return { start: fragments[0]!.baseDecodeTime, ticks };
}

/** What is untrue in the playlist about a track; null where nothing is. */
function trackFault(
  attributes: Attributes,
  codecs: readonly string[],
  stream: Parameters<typeof codecFault>[1],
): string | null {
  const stated = codecs.filter((codec) => codec.startsWith("mp4a"));
  const faults = stated.map((codec) => codecFault(codec, stream));
  if (!faults.includes(null)) return faults[0] ?? "no sound in CODECS";
  const channels = attributes.get("CHANNELS");
  return channels === undefined || Number(channels.split("/")[0]) === stream.channels
    ? null
    : `${stream.channels} channels, not ${channels}`;
}

async function fingerprint(bench: ProofBench, name: string): Promise<Int16Array> {
  const bytes = await takeFile(bench, name);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
}

/** The stretches lie one after the other in what was decoded. */
function cutWindows(
  samples: Int16Array,
  spans: readonly { start: number; ticks: number }[],
  timescale: number,
): Heard["windows"] {
  let before = 0;
  return spans.map(({ start, ticks }) => {
    const at = (ticksBefore: number): number => Math.round((ticksBefore * FINGERPRINT_HZ) / timescale);
    const part = samples.subarray(at(before), at(before + ticks));
    before += ticks;
    return {
      startSeconds: start / timescale,
      seconds: ticks / timescale,
      envelope: envelope(part, FINGERPRINT_HZ),
    };
  });
}

/** What the master's tracks sound like in each window: by window, then by the plan's track. */
async function hearMaster(
  bench: ProofBench,
  heard: readonly Heard[],
  { plan, source, path }: { plan: Plan; source: Source; path: string },
): Promise<Map<string, number[]>[]> {
  const masters: Map<string, number[]>[] = [];
  const tracks = plan.audio.filter(({ file }) => file === null);
  for (const { startSeconds, seconds } of heard[0]!.windows) {
    const recipe = stretchRecipe(source, tracks, { startSeconds, seconds }, (link, { id }) => ({
      options: ["-map", link, ...FINGERPRINT],
      file: `/out/master-${id}.pcm`,
    }));
    const envelopes = new Map<string, number[]>();
    if (recipe !== null) {
      // What the master's decoders complain of is the probe's business.
      await decode(bench, { program: "ffmpeg", args: assemble(recipe), source: path });
      for (const { id } of tracks)
        envelopes.set(id, envelope(await fingerprint(bench, `master-${id}.pcm`), FINGERPRINT_HZ));
    }
    masters.push(envelopes);
  }
  return masters;
}

function compareWithMaster(
  { part, attributes, track, windows }: Heard,
  masters: readonly Map<string, number[]>[],
): ProofLine[] {
  if (track === undefined || track.file !== null)
    return [untold(part, "identity", "the track was not in the master")];
  const ids = [...new Set(masters.flatMap((master) => [...master.keys()]))];
  const likenesses = new Map(
    ids.map((id) => [
      id,
      windows.flatMap(({ envelope: heard }, index) => {
        const wanted = masters[index]?.get(id);
        return (wanted && compareEnvelopes(heard, wanted)) ?? [];
      }),
    ]),
  );
  const own = likenesses.get(track.id) ?? [];
  const language = attributes.get("LANGUAGE") ?? "und";
  const named = language === track.language ? [] : [`called ${language}, and it is ${track.language}`];
  const others = ids
    .filter((id) => id !== track.id)
    .map((id) => ({ id, alike: meanOf(likenesses.get(id) ?? []) }));
  return [identity(part, own, others, named), sync(part, own)];
}

function meanOf(likenesses: readonly Likeness[]): number | null {
  if (likenesses.length === 0) return null;
  return likenesses.reduce((sum, { correlation }) => sum + correlation, 0) / likenesses.length;
}

/** Whether a track sounds like the one of the master that it should be, more than like any other. */
function identity(
  part: string,
  own: readonly Likeness[],
  others: readonly { id: string; alike: number | null }[],
  named: readonly string[],
): ProofLine {
  const alike = meanOf(own);
  // Nothing is heard in its own: then another would have to be unmistakable.
  const enough = alike === null ? LEAST_LIKE : alike + CLEARLY_MORE_LIKE;
  const mistaken = others.filter((other) => other.alike !== null && other.alike > enough);
  if (alike === null && mistaken.length === 0 && named.length === 0)
    return untold(part, "identity", "silence or an even sound: nothing to know it by");
  const faults = [
    ...named,
    ...(alike !== null && alike < LEAST_LIKE ? [`unlike the master's track (${alike.toFixed(2)})`] : []),
    ...mistaken.map(
      (other) => `more like ${other.id} (${other.alike?.toFixed(2)}) than its own (${alike?.toFixed(2)})`,
    ),
  ];
  return proved(part, "identity", faults, `like the master's track (${alike?.toFixed(2)})`);
}

/** How far the sound is from where it was beside the picture. */
function sync(part: string, own: readonly Likeness[]): ProofLine {
  const lags = own
    .filter(({ correlation, isLagClear }) => isLagClear && correlation >= LEAST_LIKE)
    .map(({ lagSeconds }) => lagSeconds);
  if (lags.length === 0) return untold(part, "sync", "no clear beginning or end of a sound to measure by");
  const largest = lags.reduce((most, lag) => (Math.abs(lag) > Math.abs(most) ? lag : most));
  const told = `${Math.round(largest * 1000)} ms`;
  return proved(part, "sync", Math.abs(largest) > LARGEST_OFFSET_SECONDS ? [`off by ${told}`] : [], told);
}
