import type { Asset, Finding } from "../answers.ts";
import { formatClock } from "../pace.ts";
import { watchAsset } from "../watch-asset.ts";
import type { FileIngest } from "./file-ingest.ts";
import { IngestFailure } from "./next-step.ts";

/** What becomes of an asset, told until it is ready. */

export async function follow({ api, signal, line }: FileIngest, assetId: string): Promise<Asset> {
  let wasPlayable = false;
  for await (const asset of watchAsset(api, assetId, signal)) {
    const { state, progress, error } = asset;
    if (progress.playable && !wasPlayable) line.finish(`Playable   ${assetId}`);
    wasPlayable = progress.playable;
    if (state === "ready" || state === "failed")
      for (const finding of asset.findings) line.finish(findingText(finding));
    if (state === "ready") {
      const videos = asset.renditions.filter(({ kind }) => kind === "video").length;
      const texts = asset.renditions.filter(({ kind }) => kind === "subtitle").length;
      const also = texts === 0 ? "" : `, ${texts} subtitle tracks`;
      line.finish(`Ready      ${assetId}, ${videos} video renditions${also}`);
      return asset;
    }
    if (state === "failed") {
      const { code, message, retryable } = error ?? {
        code: "internal",
        message: "No reason given.",
        retryable: true,
      };
      throw new IngestFailure(code, message, retryable);
    }
    if (state === "cancelled" || state === "deleted") {
      throw new IngestFailure(state, `The asset ${assetId} was ${state}.`);
    }
    const left = progress.secondsLeft === null ? "" : `${formatClock(progress.secondsLeft)} left`;
    line.update(capitalized(progress.stage), progress.ratio, left);
  }
  throw new IngestFailure("internal", "The server told nothing more of the asset.", true);
}

function findingText({ code, severity, message, startSeconds, endSeconds, waivedBy }: Finding): string {
  const from = startSeconds === undefined ? "" : ` at ${formatClock(startSeconds)}`;
  const to = endSeconds === undefined ? "" : `–${formatClock(endSeconds)}`;
  const waived = waivedBy === undefined ? "" : ` (accepted by ${waivedBy})`;
  return `${capitalized(severity === "info" ? "note" : severity).padEnd(10)} ${code}${from}${to}: ${message}${waived}`;
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
