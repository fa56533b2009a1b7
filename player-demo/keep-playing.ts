import Hls, { type ErrorData } from "hls.js";
import type { EdgeKeeper } from "./edge-keeper.ts";
import type { GrantKeeper } from "./grant-keeper.ts";
import { protectionProblem } from "./protection.ts";
import { text } from "./strings.ts";

const MEDIA_RECOVERIES = 2;

/**
 * Gets over what can be got over: a grant that ran out while the machine slept is renewed, a decoder that stumbled is
 * set up anew. What is left goes to `fail`, in words for a person.
 */
export function keepPlaying(
  hls: Hls,
  video: HTMLVideoElement,
  grants: GrantKeeper,
  fail: (message: string) => void,
): void {
  let recoveries = 0;
  let hasRenewed = false;
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    hasRenewed = false;
  });
  hls.on(Hls.Events.ERROR, async (_event, data) => {
    const isRefused = data.response?.code === 403;
    if (isRefused && !hasRenewed) {
      hasRenewed = true;
      if ((await grants.renew()) && data.fatal) restart(hls, video);
      return;
    }
    if (!data.fatal) return;
    const locked = protectionProblem(data);
    if (locked !== null) {
      fail(text(locked));
      return;
    }
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < MEDIA_RECOVERIES) {
      recoveries++;
      hls.recoverMediaError();
      return;
    }
    fail(text(isNetwork(data) ? "network" : "media"));
  });
}

/** An edge that takes connections and says nothing is as good as gone: hls.js gave up waiting for it. */
export function leaveSilentEdges(hls: Hls, edges: EdgeKeeper): void {
  hls.on(Hls.Events.ERROR, (_event, { details, networkDetails }) => {
    if (/TimeOut$/.test(details) && networkDetails instanceof XMLHttpRequest) edges.failed(networkDetails);
  });
}

/** A fatal error stops all loading; without a playlist yet, it begins with the playlist. */
function restart(hls: Hls, video: HTMLVideoElement): void {
  if (hls.levels.length === 0 && hls.url !== null) hls.loadSource(hls.url);
  hls.startLoad(video.currentTime);
}

function isNetwork({ type }: ErrorData): boolean {
  return type === Hls.ErrorTypes.NETWORK_ERROR;
}
