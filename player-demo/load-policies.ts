import Hls, { type HlsConfig, type LoadPolicy } from "hls.js";

/** Picture and sound fail at once where their edge goes; each may ask every edge before hls.js decides otherwise. */
const REQUESTS_AT_ONCE = 2;
const RETRY_MS = 250;

type Policies = Pick<HlsConfig, "fragLoadPolicy" | "playlistLoadPolicy" | "manifestLoadPolicy">;

/**
 * hls.js takes an answer that never came for a refusal by the browser (status 0) and does not ask again: right where
 * there is one edge. Where there are `edges()` of them, the next one is asked soon.
 */
export function askNextEdge(edges: () => number): Policies {
  const asking = ({ default: usual }: LoadPolicy): LoadPolicy => ({
    default: {
      ...usual,
      errorRetry: usual.errorRetry && {
        ...usual.errorRetry,
        retryDelayMs: RETRY_MS,
        shouldRetry: (_policy, count, _isTimeout, response, isUsual) =>
          isUsual || (edges() > 1 && response?.code === 0 && count < REQUESTS_AT_ONCE * edges()),
      },
    },
  });
  const { fragLoadPolicy, playlistLoadPolicy, manifestLoadPolicy } = Hls.DefaultConfig;
  return {
    fragLoadPolicy: asking(fragLoadPolicy),
    playlistLoadPolicy: asking(playlistLoadPolicy),
    manifestLoadPolicy: asking(manifestLoadPolicy),
  };
}
