import type { Attributes } from "../core/conformance/playlist-grammar.ts";
import { joinTracks } from "../core/join-tracks.ts";
import type { Plan } from "../core/plan.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import { codecFault, type DecodedStream, hasFault, type ProofLine, proved } from "../core/proof.ts";
import type { Source } from "../core/source.ts";
import type { TimeRange } from "../core/time-ranges.ts";
import { compareWithMaster, hearMaster } from "./compare-sounds.ts";
import { decodeTracks } from "./decode-tracks.ts";
import { assemble } from "./ffmpeg-command.ts";
import { type OpenSound, openSound } from "./open-sound.ts";
import { decode, lookAt, type ProofBench, putFile, sizeOfFile } from "./proof-bench.ts";
import { cutWindows, FINGERPRINT, fingerprint, type Heard } from "./sound-fingerprint.ts";

/**
 * Plays every sound track at its start, middle and end: samples counted, and what is heard compared with the master's
 * tracks at the same moments, so that no two are exchanged and none is out of step.
 */
export async function proveSounds(
  bench: ProofBench,
  mainPath: string,
  media: readonly Attributes[],
  codecs: readonly string[],
  master: { plan: Plan; source: Source; path: string | null; damaged: readonly TimeRange[] },
): Promise<ProofLine[]> {
  const lines: ProofLine[] = [];
  const sounds: OpenSound[] = [];
  for (const attributes of media.filter((one) => one.get("TYPE") === "AUDIO" && one.has("URI"))) {
    const opened = async () => void sounds.push(await openSound(bench, mainPath, attributes));
    lines.push(...(await lookAt(attributes.get("URI") ?? "", () => opened().then(() => []))));
  }
  const played = await playSounds(bench, sounds, codecs, master.plan.audio);
  lines.push(...played.lines);
  if (played.heard.length === 0 || master.path === null) return lines;
  const masters = await hearMaster(bench, played.heard, { ...master, path: master.path });
  return [...lines, ...played.heard.flatMap((one) => compareWithMaster(one, masters, master.damaged))];
}

interface Played {
  lines: ProofLine[];
  heard: Heard[];
}

/**
 * All sounds through the same two processes, since each takes a tenth of a CPU second to start; where anything is wrong each by
 * itself, since a decoder does not say of which it complains.
 */
async function playSounds(
  bench: ProofBench,
  sounds: readonly OpenSound[],
  codecs: readonly string[],
  tracks: readonly AudioTrack[],
): Promise<Played> {
  const play = async (some: readonly OpenSound[]): Promise<Played> => {
    const heard: Heard[] = [];
    const lines = await lookAt(some[0]!.part, async () => {
      const played = await playTogether(bench, some, codecs, tracks);
      heard.push(...played.heard);
      return played.lines;
    });
    return { lines, heard };
  };
  if (sounds.length > 1) {
    const together = await play(sounds);
    if (!hasFault(together.lines)) return together;
  }
  const alone: Played[] = [];
  for (const sound of sounds) alone.push(await play([sound]));
  return { lines: alone.flatMap(({ lines }) => lines), heard: alone.flatMap(({ heard }) => heard) };
}

async function playTogether(
  bench: ProofBench,
  sounds: readonly OpenSound[],
  codecs: readonly string[],
  tracks: readonly AudioTrack[],
): Promise<Played> {
  const heads = await decodeTracks(bench, await putFile(bench, "heads.mp4", headsOf(sounds)));
  const files: string[] = [];
  for (const [index, { init, cells }] of sounds.entries())
    files.push(await putFile(bench, `sound-${index}.mp4`, [init, ...cells]));
  const { complaints } = await decode(bench, { program: "ffmpeg", args: assemble(playRecipe(files)) });
  const said = [...heads.complaints, ...complaints];
  // Of which it is, and whether all files were written, is seen of each by itself.
  if (sounds.length > 1 && said.length > 0)
    return { lines: [proved(sounds[0]!.part, "decodes", said, "")], heard: [] };
  const lines: ProofLine[] = [];
  const heard: Heard[] = [];
  for (const [index, sound] of sounds.entries()) {
    const { part, attributes, facts, spans } = sound;
    const samples = (await sizeOfFile(bench, samplesFile(index))) / (2 * facts.channels);
    lines.push(...linesOf(sound, codecs, said, samples, heads.tracks[index]?.stream ?? null));
    heard.push({
      part,
      attributes,
      track: tracks.find(({ id }) => part === `audio/${id}`),
      windows: cutWindows(await fingerprint(bench, fingerprintFile(index)), spans, facts.timescale),
    });
  }
  return { lines, heard };
}

/** The header and the first segment of each; one that is alone is left as a player gets it. */
function headsOf(sounds: readonly OpenSound[]): Uint8Array[] {
  if (sounds.length === 1) return sounds.flatMap(({ init, cells }) => [init, cells[0]!]);
  return [joinTracks(sounds.map(({ init, cells }) => ({ init, fragments: [cells[0]!] })))];
}

function linesOf(
  { part, attributes, spans }: OpenSound,
  codecs: readonly string[],
  complaints: readonly string[],
  samples: number,
  stream: DecodedStream | null,
): ProofLine[] {
  const expected = spans.reduce((sum, { ticks }) => sum + ticks, 0);
  const counted = samples === expected ? [] : [`${samples} of ${expected} samples came out`];
  const late = spans[0]!.start === 0 ? [] : [`the first sample is at ${spans[0]!.start}`];
  const stated = stream === null ? "nothing could be opened" : trackFault(attributes, codecs, stream);
  return [
    proved(part, "decodes", [...complaints, ...counted], `${expected} samples, no complaint`),
    proved(part, "times", late, "the first sample is at nought"),
    proved(part, "codecs", stated === null ? [] : [stated], stream?.codec ?? ""),
  ];
}

const samplesFile = (index: number): string => `samples-${index}.pcm`;
const fingerprintFile = (index: number): string => `fingerprint-${index}.pcm`;

/** Of each file everything at full rate, to be counted, and one channel at a low one, to be compared. */
function playRecipe(files: readonly string[]) {
  return {
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error"],
    inputs: files.map((file) => ({
      options: ["-protocol_whitelist", "file", "-f", "mov", "-threads", "1"],
      file,
    })),
    outputs: files.flatMap((_, index) => [
      { options: ["-map", `${index}:a`, "-f", "s16le"], file: `/out/${samplesFile(index)}` },
      { options: ["-map", `${index}:a`, ...FINGERPRINT], file: `/out/${fingerprintFile(index)}` },
    ]),
  };
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
