import { sourceFailure } from "../core/errors.ts";
import { isHdrTransfer } from "../core/picture.ts";
import type { ProbeReport, ProbeStream } from "../core/probe-report.ts";
import { pictureStream } from "../core/probed-picture.ts";
import type { SampleTrack } from "../core/sample-table.ts";
import { assemble, STDOUT } from "./ffmpeg-command.ts";
import { asCause, type ProbeRun, runProbe } from "./probe-run.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/** What only a master's first picture tells: that it comes out, and what it was graded on. */

/** Decodes the first frame of the picture: of the one that the file's own tables name at once, while ffprobe still looks. */
export async function decodePicture(
  probe: ProbeRun,
  reported: Promise<ProbeReport>,
  tables: readonly SampleTrack[] | null,
): Promise<void> {
  const named = tables?.find(({ handler }) => handler === "vide")?.index;
  const early = named === undefined ? undefined : decodeFirstFrame(probe, named);
  const [report] = await Promise.allSettled([reported, early]);
  if (report.status === "rejected") throw report.reason;
  const { index } = pictureStream(report.value);
  await (index === named ? early : decodeFirstFrame(probe, index));
}

/** What an HDR picture's first frame says beside its samples: what it was graded on. Nothing where it says nothing. */
export async function readFirstFrame(
  probe: ProbeRun,
  picture: ProbeStream,
): Promise<NonNullable<ProbeReport["frames"]>> {
  if (!isHdrTransfer(picture.color_transfer)) return [];
  const only = ["-select_streams", String(picture.index), "-read_intervals", "%+#1"];
  const shown = ["-show_frames", "-show_entries", "frame_side_data_list", "-of", "json"];
  const args = ["-v", "error", ...SAFE_INPUT_OPTIONS, ...only, ...shown, SOURCE_PATH];
  const run = await runProbe(probe, { program: "ffprobe", args });
  try {
    return (JSON.parse(run.stdout) as ProbeReport).frames ?? [];
  } catch {
    return [];
  }
}

/** A container may promise a picture that no decoder makes: better known now than after an hour of queueing. */
async function decodeFirstFrame(probe: ProbeRun, pictureIndex: number): Promise<void> {
  const args = assemble({
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error"],
    // Only the first seconds: a broken picture is not searched to its end for a frame that decodes.
    inputs: [{ options: [...SAFE_INPUT_OPTIONS, "-threads", "1", "-t", "20"], file: SOURCE_PATH }],
    outputs: [{ options: ["-map", `0:${pictureIndex}`, "-frames:v", "1", "-f", "framecrc"], file: STDOUT }],
  });
  const run = await runProbe(probe, { program: "ffmpeg", args });
  // A line of framecrc that is no comment is a frame.
  if (/^[^#\n]/m.test(run.stdout)) return;
  throw sourceFailure("source_damaged", "The picture cannot be decoded.", asCause(run));
}
