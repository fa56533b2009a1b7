import type { HlsConfig } from "hls.js";
import type { Playback, ViewerApi } from "./api-client.ts";
import type { EdgeKeeper } from "./edge-keeper.ts";
import { askNextEdge } from "./load-policies.ts";
import { protectionConfig } from "./protection.ts";

/** How hls.js plays a film: each of its requests goes by `edges`. */
export function hlsConfig(playback: Playback, api: ViewerApi, edges: EdgeKeeper): Partial<HlsConfig> {
  return {
    capLevelToPlayerSize: true,
    // In the query: headers would cost a preflight for every segment. Only what the edge counts.
    cmcd: { includeKeys: ["br", "bl", "bs", "mtp", "ot", "sid"] },
    // A quality whose segment once failed would not be tried again in the whole film.
    errorPenaltyExpireMs: 20_000,
    ...protectionConfig(playback, api),
    // Hls.js opens the request itself unless it is open already.
    xhrSetup: (request, url) => edges.open(request, url),
    ...(playback.steeringUrl === undefined ? {} : askNextEdge(() => edges.count)),
    // One of us steers.
    contentSteeringController: undefined,
  };
}
