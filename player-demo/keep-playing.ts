import Hls, { type ErrorData } from "hls.js";
import type { EdgeKeeper } from "./edge-keeper.ts";
import type { GrantKeeper } from "./grant-keeper.ts";
import { keepConnected } from "./keep-connected.ts";
import { protectionProblem } from "./protection.ts";
import { type StringKey, text } from "./strings.ts";
import type { WatchLayer } from "./watch-layer.ts";

const MEDIA_RECOVERIES = 2;
/** This machine plays none of what there is; setting up a decoder anew would change nothing. */
const NO_DECODER = new Set<string>([
  Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
  Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
  Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR,
]);

/**
 * Gets over what can be got over: a grant that ran out while the machine slept is renewed, a connection that is gone is
 * waited for, a decoder that stumbled is set up anew. What is left goes to `fail`, in words for a person. Returns how
 * to end it.
 */
export function keepPlaying(
  hls: Hls,
  video: HTMLVideoElement,
  grants: GrantKeeper,
  layer: WatchLayer,
  fail: (message: string) => void,
): () => void {
  let recoveries = 0;
  let hasRenewed = false;
  const connection = keepConnected(hls, layer, () => restart(hls, video));
  hls.on(Hls.Events.FRAG_BUFFERED, () => {
    hasRenewed = false;
  });
  hls.on(Hls.Events.ERROR, async (_event, data) => {
    const isRefused = data.response?.code === 403 && data.type === Hls.ErrorTypes.NETWORK_ERROR;
    if (isRefused && !hasRenewed) {
      hasRenewed = await grants.renew();
      if (!data.fatal) return;
      if (hasRenewed) restart(hls, video);
      // Nobody answered: the grant is asked for again with the next try. Where it was refused, all of this has ended.
      else connection.lost();
      return;
    }
    if (!data.fatal) return;
    const locked = protectionProblem(data);
    if (locked !== null) fail(text(locked));
    else if (isOutage(data)) connection.lost();
    else if (mayRecover(data) && recoveries < MEDIA_RECOVERIES) {
      recoveries++;
      hls.recoverMediaError();
    } else fail(text(problemOf(data)));
  });
  return () => connection.stop();
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

/** Nothing answered, or who answered is in trouble: that passes. What was refused or is not there stays so. */
function isOutage({ type, response }: ErrorData): boolean {
  const status = response?.code ?? 0;
  return type === Hls.ErrorTypes.NETWORK_ERROR && (status < 400 || status === 429 || status >= 500);
}

function mayRecover({ type, details }: ErrorData): boolean {
  return type === Hls.ErrorTypes.MEDIA_ERROR && !NO_DECODER.has(details);
}

function problemOf({ type, details, response }: ErrorData): StringKey {
  if (NO_DECODER.has(details)) return "codec";
  if (type !== Hls.ErrorTypes.NETWORK_ERROR) return "media";
  return response?.code === 404 || response?.code === 410 ? "notFound" : "network";
}
