/** A small picture of the film: from when to when, in which sheet, and where there (`x,y,width,height`). */
interface Thumbnail {
  startSeconds: number;
  endSeconds: number;
  sheet: string;
  box: string;
}

const CUE = /(\d+):(\d+):([\d.]+) --> (\d+):(\d+):([\d.]+)\s*\n(\S+)#xywh=([\d,]+)/g;

/**
 * Gives the seek bar its small pictures once the film plays: as cues of a text track called `thumbnails`, which is where
 * media-chrome looks. The sheets are fetched once and kept, so that no later grant is needed for them; a film without
 * them, or a sheet that does not come, shows none. Returns how to let go of them.
 */
export function seekThumbnails(
  video: HTMLVideoElement,
  storyboardUrl: string,
  fresh: (url: string) => Promise<string>,
): () => void {
  const leaving = new AbortController();
  const kept: string[] = [];
  const get = async (url: string): Promise<Response> => {
    // Low: the film itself comes first.
    const response = await fetch(await fresh(url), { signal: leaving.signal, priority: "low" });
    if (!response.ok) throw new Error(`${response.status}`);
    return response;
  };
  const load = async (): Promise<void> => {
    const track = video.addTextTrack("metadata", "thumbnails");
    const thumbnails = parse(await (await get(storyboardUrl)).text());
    for (const [sheet, shown] of Map.groupBy(thumbnails, (one) => one.sheet)) {
      const image = URL.createObjectURL(await (await get(new URL(sheet, storyboardUrl).href)).blob());
      kept.push(image);
      for (const { startSeconds, endSeconds, box } of shown)
        track.addCue(new VTTCue(startSeconds, endSeconds, `${image}#xywh=${box}`));
    }
  };
  const onPlaying = () => void load().catch(() => undefined);
  video.addEventListener("playing", onPlaying, { once: true, signal: leaving.signal });
  return () => {
    leaving.abort();
    for (const image of kept) URL.revokeObjectURL(image);
  };
}

function parse(vtt: string): Thumbnail[] {
  const seconds = (parts: string[]): number => parts.reduce((sum, part) => sum * 60 + Number(part), 0);
  return [...vtt.matchAll(CUE)].map(([, ...parts]) => ({
    startSeconds: seconds(parts.slice(0, 3)),
    endSeconds: seconds(parts.slice(3, 6)),
    sheet: parts[6] ?? "",
    box: parts[7] ?? "",
  }));
}
