import { resolvePath } from "../core/conformance/package-view.ts";
import { parseMedia } from "../core/conformance/parse-media.ts";
import type { Attributes } from "../core/conformance/playlist-grammar.ts";
import { readFragments } from "../core/fragments.ts";
import { readInit } from "../core/init-segment.ts";
import type { Plan } from "../core/plan.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import { codecFault, type ProofLine, playedPlaces, proved } from "../core/proof.ts";
import type { Source } from "../core/source.ts";
import type { TimeRange } from "../core/time-ranges.ts";
import { compareWithMaster, hearMaster } from "./compare-sounds.ts";
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
  return [...lines, ...heard.flatMap((one) => compareWithMaster(one, masters, master.damaged))];
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
  const places = playedPlaces(segments.length);
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
