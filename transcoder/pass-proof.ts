import { damagedRanges } from "../core/findings-damage.ts";
import { packagePrefix } from "../core/keys.ts";
import { checkOutput } from "../core/output-check.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import type { ProofLine } from "../core/proof.ts";
import { trackRanges } from "../core/source-window.ts";
import { timelineSeconds } from "../core/timeline.ts";
import { saveProof } from "../stores/library/conformance.ts";
import { requirePlanned } from "./planned-asset.ts";
import { openClearMedia } from "./protect-media.ts";
import { provePackage, requireProof } from "./prove.ts";
import type { SourceIndex } from "./source-index.ts";
import { withSourceWindow } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * Plays the package as it lies in storage and compares it with the master, and keeps what was seen. Throws
 * `encode_failed` where anything does not play as planned; nothing is published then.
 */
export async function passProof(
  context: TaskContext,
  tracks: ReadonlyMap<string, ProducedTrack>,
): Promise<void> {
  const { plan, source, pinned, generation } = requirePlanned(context.asset);
  const { _id: assetId, findings } = context.asset;
  const prefix = packagePrefix(assetId, generation);
  // Only sound is compared with the master here: pictures were scored against it when they were encoded.
  const ranges = ({ tracks: listed }: SourceIndex) => {
    // Containers that list no samples have sound anywhere.
    if (listed.length === 0 && plan.audio.length > 0) return null;
    return plan.audio.flatMap(({ streamIndex }) => {
      const track = listed[streamIndex];
      return track === undefined ? [] : trackRanges(track);
    });
  };
  const wanted = { ranges, span: null };
  const damaged = damagedRanges(findings, timelineSeconds(plan.timeline));
  const clear = await openClearMedia(context);
  const played = await withSourceWindow(context, pinned, wanted, (path) =>
    context.scratch.withDirectory(async (directory): Promise<{ made: ProofLine[]; log: string }> => {
      const read = (name: string) => clear.read(prefix + name);
      const { launcher, signal, note } = context;
      const bench = { launcher, directory, read, signal, note };
      return { made: await provePackage(bench, { plan, source, path, damaged }), log: "" };
    }),
  );
  const lines = [...played, ...checkOutput(plan, source, tracks)];
  await saveProof(context.library, assetId, generation, lines);
  requireProof(lines);
}
