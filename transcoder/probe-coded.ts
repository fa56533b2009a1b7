import { beginsWithIdr, borderHeads, describeCoded } from "../core/coded-picture.ts";
import { buildLadder } from "../core/ladder.ts";
import { planPicture } from "../core/picture.ts";
import { remuxFault } from "../core/remux.ts";
import type { Source } from "../core/source.ts";
import { buildTimeline } from "../core/timeline.ts";
import { readSpan } from "./file-spans.ts";
import type { PartialMaster } from "./scratch.ts";
import type { SourceIndex } from "./source-index.ts";

/**
 * The description of a master, with what its coded pictures are where they may be sent on as they are. Nothing is read of a master
 * whose table already says otherwise; of the others the first bytes of each segment, since only the pictures themselves say
 * whether they can be entered there.
 */
export async function withCoded(
  source: Source,
  master: PartialMaster,
  { tracks }: SourceIndex,
  signal: AbortSignal,
): Promise<Source> {
  const { video } = source;
  const track = tracks[video.streamIndex];
  const timeline = buildTimeline(video.frameRate, video.frameCount);
  const coded = track && describeCoded(track, timeline);
  if (track === undefined || coded == null) return source;
  const described: Source = { ...source, coded };
  const [top] = buildLadder(video.width, video.height);
  if (top === undefined || remuxFault(described, planPicture(video), timeline, top) !== null) return source;
  const heads = borderHeads(track, timeline);
  await master.fill(heads, signal);
  for (const head of heads) if (!beginsWithIdr(await readSpan(master.path, head))) return source;
  return described;
}
