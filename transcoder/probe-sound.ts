import { AUDIO_CODECS } from "../core/accepted-media.ts";
import { Failure, sourceFailure } from "../core/errors.ts";
import type { SidecarSound } from "../core/sidecar.ts";
import { SOUND_INPUT_OPTIONS } from "./audio-recipe.ts";
import type { Launcher, RunOutcome } from "./launcher.ts";
import { readReport } from "./probe.ts";
import { limitsFor } from "./probe-run.ts";

/**
 * Looks in the sandbox at a file of sound that was added beside the master. Throws the `source` Failure
 * `track_unusable` where there is no sound in it that can be taken.
 */
export async function probeSound(
  launcher: Launcher,
  sourcePath: string,
  { sizeBytes }: { sizeBytes: number },
  signal: AbortSignal,
  note: (run: RunOutcome) => void,
): Promise<SidecarSound> {
  const probe = { launcher, sourcePath, limits: limitsFor(sizeBytes), signal, note };
  const report = await readReport({ ...probe, inputOptions: SOUND_INPUT_OPTIONS }).catch((thrown) => {
    // The same words as for a master would say that the film is at fault.
    if (!(thrown instanceof Failure) || thrown.failureClass !== "source") throw thrown;
    throw sourceFailure("track_unusable", "The added sound cannot be read.", thrown);
  });
  const stream = report.streams?.find(({ codec_type }) => codec_type === "audio");
  if (stream === undefined) throw sourceFailure("track_unusable", "There is no sound in the added file.");
  const codec = stream.codec_name ?? "unknown";
  if (!AUDIO_CODECS.has(codec))
    throw sourceFailure("track_unusable", `Added sound coded as ${codec} is not taken.`);
  return {
    streamIndex: stream.index,
    codec,
    channels: stream.channels || 2,
    sampleRateHz: Number(stream.sample_rate) || 48_000,
    durationSeconds: Number(stream.duration ?? report.format?.duration) || 0,
  };
}
