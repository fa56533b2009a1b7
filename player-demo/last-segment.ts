import Hls from "hls.js";

/** What a viewer felt so far. */
export interface PlaybackFigures {
  /** From the wish to play to the first picture that moved; null before. */
  startUpSeconds: number | null;
  stalls: number;
  stalledSeconds: number;
  /** Who sent the last segment, and how long it took. */
  edge: string | null;
  lastSegmentMs: number | null;
}

/** Counts while it plays. A wait that a seek asked for is no stall. */
export function countFigures(hls: Hls, video: HTMLVideoElement, askedAtMs: number): PlaybackFigures {
  const figures: PlaybackFigures = {
    startUpSeconds: null,
    stalls: 0,
    stalledSeconds: 0,
    edge: null,
    lastSegmentMs: null,
  };
  let stalledAtMs: number | null = null;
  video.addEventListener("waiting", () => {
    if (figures.startUpSeconds === null || video.seeking || stalledAtMs !== null) return;
    figures.stalls++;
    stalledAtMs = performance.now();
  });
  video.addEventListener("playing", () => {
    figures.startUpSeconds ??= (performance.now() - askedAtMs) / 1000;
    if (stalledAtMs !== null) figures.stalledSeconds += (performance.now() - stalledAtMs) / 1000;
    stalledAtMs = null;
  });
  hls.on(Hls.Events.FRAG_LOADED, (_event, { frag, networkDetails }) => {
    // Where the answer came from, which need not be where the playlist was.
    if (networkDetails instanceof XMLHttpRequest) figures.edge = new URL(networkDetails.responseURL).host;
    const { start, end } = frag.stats.loading;
    figures.lastSegmentMs = Math.round(end - start);
  });
  return figures;
}
