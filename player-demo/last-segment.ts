import Hls from "hls.js";

/** Who sent the last segment, and how long it took; null before the first. */
export interface LastSegment {
  edge: string | null;
  ms: number | null;
}

/** What is said of each segment as it comes. */
export function noteSegments(hls: Hls): LastSegment {
  const last: LastSegment = { edge: null, ms: null };
  hls.on(Hls.Events.FRAG_LOADED, (_event, { frag, networkDetails }) => {
    // Where the answer came from, which need not be where the playlist was.
    if (networkDetails instanceof XMLHttpRequest) last.edge = new URL(networkDetails.responseURL).host;
    const { start, end } = frag.stats.loading;
    last.ms = Math.round(end - start);
  });
  return last;
}
