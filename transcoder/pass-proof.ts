import { damagedRanges } from "../core/findings-damage.ts";
import { packagePrefix } from "../core/keys.ts";
import { checkOutput } from "../core/output-check.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import { hasFault, type ProofLine, playedStretches, type Stretch } from "../core/proof.ts";
import type { Source } from "../core/source.ts";
import { type StreamSpan, streamSpan } from "../core/stream-entries.ts";
import { timelineSeconds } from "../core/timeline.ts";
import { saveProof } from "../stores/library/conformance.ts";
import { canEnter, stretchWindow } from "./audio-recipe.ts";
import { type PlannedAsset, requirePlanned } from "./planned-asset.ts";
import { openClearMedia } from "./protect-media.ts";
import { provePackage, requireProof } from "./prove.ts";
import { rangesOver } from "./source-index.ts";
import { type Wanted, withSourceWindow } from "./source-window.ts";
import { takesSound } from "./take-sound.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * Plays the package as it lies in storage and compares it with the master, and keeps what was seen. Throws
 * `encode_failed` where anything does not play as planned; nothing is published then.
 */
export async function passProof(
  context: TaskContext,
  tracks: ReadonlyMap<string, ProducedTrack>,
): Promise<void> {
  const planned = requirePlanned(context.asset);
  const { plan, source, pinned, generation } = planned;
  const { _id: assetId, findings } = context.asset;
  const prefix = packagePrefix(assetId, generation);
  const damaged = damagedRanges(findings, timelineSeconds(plan.timeline));
  const clear = await openClearMedia(context);
  const prove = (path: string): Promise<ProofLine[]> =>
    context.scratch.withDirectory((directory) => {
      const read = (name: string) => clear.read(prefix + name);
      const { launcher, signal, note } = context;
      return provePackage({ launcher, directory, read, signal, note }, { plan, source, path, damaged });
    });
  const wanted = { ...comparedWith(planned, tracks), bring: takesSound(context, planned) };
  const inPart = await withSourceWindow(context, pinned, wanted, async (path) => ({
    made: await prove(path),
    log: "",
  }));
  // What was not fetched must not speak against a package: then all of the master is asked.
  const played = hasFault(inPart) ? await context.scratch.withSource(pinned, context.signal, prove) : inPart;
  const lines = [...played, ...checkOutput(plan, source, tracks)];
  await saveProof(context.library, assetId, generation, lines);
  requireProof(lines);
}

/** What of the master the proof hears: of every sound what it plays of the package's. Pictures were scored against it when they were encoded. */
function comparedWith({ plan, source }: PlannedAsset, produced: ReadonlyMap<string, ProducedTrack>): Wanted {
  const own = plan.audio.filter(({ file }) => file === null);
  const windows = own.flatMap(({ id, streamIndex }) =>
    playedStretches(produced.get(id)!).map((stretch) => ({
      streamIndex,
      window: stretchWindow(stretch, source),
    })),
  );
  return {
    ranges: async (index, master, signal) => {
      const ranges: Awaited<ReturnType<typeof rangesOver>>[] = [];
      for (const { streamIndex, window } of windows)
        ranges.push(await rangesOver(master, index, streamIndex, window, signal));
      return ranges.includes(null) ? null : ranges.flatMap((some) => some ?? []);
    },
    span: beginningOf(
      source,
      own.flatMap(({ id }) => playedStretches(produced.get(id)!)),
    ),
  };
}

/** Of a transport stream, which can be entered nowhere by its sound, what is heard from its beginning on; null where nothing is. */
function beginningOf(source: Source, stretches: readonly Stretch[]): StreamSpan | null {
  const ends = stretches
    .filter((stretch) => canEnter(source, stretch))
    .map((stretch) => stretchWindow(stretch, source).endSeconds - source.video.startSeconds);
  return ends.length === 0 ? null : streamSpan(source, 0, Math.max(...ends));
}
