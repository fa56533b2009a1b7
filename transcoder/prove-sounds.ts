import type { Attributes } from "../core/conformance/playlist-grammar.ts";
import type { Plan } from "../core/plan.ts";
import { codecFault, hasFault, type ProofLine, proved } from "../core/proof.ts";
import type { Source } from "../core/source.ts";
import type { TimeRange } from "../core/time-ranges.ts";
import { compareWithMaster } from "./compare-sounds.ts";
import type { Decoded } from "./decode-tracks.ts";
import { hearMaster, type MasterSounds, type MasterStretches, masterStretches } from "./hear-master.ts";
import { type HeardSound, hearAlone, hearTogether } from "./hear-sounds.ts";
import { type OpenSound, stretchesOf } from "./open-sound.ts";
import { playHead } from "./play-tracks.ts";
import { lookAt, type ProofBench } from "./proof-bench.ts";

/**
 * Plays every sound track at its start, middle and end: samples counted, and what is heard compared with the master's
 * tracks at the same moments, so that no two are exchanged and none is out of step. What came out of their `heads` is
 * null where these have to be played each by itself.
 */
export async function proveSounds(
  bench: ProofBench,
  sounds: readonly OpenSound[],
  heads: readonly Decoded[] | null,
  codecs: readonly string[],
  master: { plan: Plan; source: Source; path: string | null; damaged: readonly TimeRange[] },
): Promise<ProofLine[]> {
  const { plan, source, path, damaged } = master;
  const beside = ([first]: readonly OpenSound[]): MasterStretches | null =>
    path === null || first === undefined ? null : masterStretches({ plan, source, path }, stretchesOf(first));
  const together = heads && (await playAll(bench, sounds, heads, codecs, beside(sounds)));
  const { lines, heard, master: heardBeside } = together ?? (await playEach(bench, sounds, codecs));
  if (path === null) return lines;
  const hear = async (stretches: MasterStretches | null): Promise<MasterSounds> =>
    stretches === null ? new Map() : hearMaster(bench, stretches);
  const ofMaster = heardBeside ?? (await hear(beside(heard.map(({ sound }) => sound))));
  const compared = heard.flatMap(({ sound, windows }) => {
    const track = plan.audio.find(({ id }) => sound.part === `audio/${id}`);
    return compareWithMaster({ ...sound, track, windows }, ofMaster, damaged);
  });
  return [...lines, ...compared];
}

interface Played {
  lines: ProofLine[];
  heard: ({ sound: OpenSound } & HeardSound)[];
  /** Null where it was not heard with them. */
  master: MasterSounds | null;
}

/**
 * All sounds through one process, and stretches of the master through the same, since each takes a tenth of a CPU second to
 * start. A complaint may be of the master, so that they are then heard once more without it; null where anything is wrong.
 */
async function playAll(
  bench: ProofBench,
  sounds: readonly OpenSound[],
  heads: readonly Decoded[],
  codecs: readonly string[],
  stretches: MasterStretches | null,
): Promise<Played | null> {
  if (sounds.length === 0) return null;
  const together = await hearTogether(bench, sounds, stretches);
  if (together === null) return stretches && playAll(bench, sounds, heads, codecs, null);
  const heard = together.sounds.map((one, index) => ({ ...one, sound: sounds[index]! }));
  const lines = heard.flatMap((one, index) => linesOf(one, heads[index]!, codecs, []));
  return hasFault(lines) ? null : { lines, heard, master: together.master };
}

/** Each by itself, since a decoder does not say of which it complains. */
async function playEach(
  bench: ProofBench,
  sounds: readonly OpenSound[],
  codecs: readonly string[],
): Promise<Played> {
  const heard: Played["heard"] = [];
  const lines: ProofLine[] = [];
  const play = async (sound: OpenSound): Promise<ProofLine[]> => {
    const head = await playHead(bench, sound);
    const { complaints, ...one } = await hearAlone(bench, sound);
    heard.push({ ...one, sound });
    return linesOf({ ...one, sound }, head, codecs, [...head.complaints, ...complaints]);
  };
  for (const sound of sounds) lines.push(...(await lookAt(sound.part, () => play(sound))));
  return { lines, heard, master: null };
}

function linesOf(
  { sound, samples }: Played["heard"][number],
  { stream }: Decoded,
  codecs: readonly string[],
  complaints: readonly string[],
): ProofLine[] {
  const { part, attributes, spans } = sound;
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
