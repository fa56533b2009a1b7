import type { Playback, TitlePage, TrackPreferences } from "./api-client.ts";
import type { ApiProblem } from "./api-problem.ts";
import { goHome, watchHref } from "./card-link.ts";
import { EdgeKeeper } from "./edge-keeper.ts";
import { GrantKeeper } from "./grant-keeper.ts";
import { hlsConfig } from "./hls-config.ts";
import { type PlayerControls, playerControls } from "./player-controls.ts";
import type { Seat } from "./seat.ts";
import { showShare } from "./share-dialog.ts";
import { askToken } from "./sign-in.ts";
import { type WatchLayer, watchLayer } from "./watch-layer.ts";

/** What plays, and since when (by `performance.now()`) it is waited for. */
export interface Film {
  titleId: string;
  playback: Playback;
  title: TitlePage | null;
  /** What the account wants to hear and read; null where nobody knows. */
  preferences: TrackPreferences | null;
  askedAtMs: number;
}

/** What playing may come to: where it stands then, in seconds. */
export interface Outcomes {
  /** The session is over. */
  onOver(atSeconds: number): void;
  /** The API does not renew what it granted. */
  onRefused(problem: ApiProblem, atSeconds: number): void;
  /** The film does not go on here, in words for a person. */
  onFailed(message: string, atSeconds: number): void;
}

/** A film before it begins: its controls, and the grants and edges that its requests go by. */
export interface Opened {
  controls: PlayerControls;
  layer: WatchLayer;
  keeper: GrantKeeper;
  edges: EdgeKeeper;
  goOn: (() => void) | null;
}

/** Makes its controls, and what keeps its grants and edges; hls.js is not there yet. */
export function openFilm(seat: Seat, { titleId, playback, title }: Film, outcomes: Outcomes): Opened {
  const { api } = seat;
  const { next = null } = title ?? {};
  // The film that was watched makes room: Back leads to where the viewer came from, and not through all episodes.
  const goOn = next === null ? null : () => location.replace(watchHref(next, "left"));
  const share = () =>
    showShare(controls.frame, controls.video, (startSeconds) => api.share(titleId, startSeconds));
  const controls: PlayerControls = playerControls(title, playback, { goBack: goHome, goOn, share });
  const layer = watchLayer();
  controls.frame.append(layer.root);
  const keeper = new GrantKeeper(api, playback, {
    onLost(problem) {
      const atSeconds = controls.video.currentTime;
      // Not known: the token is another account's now.
      if (problem.code === "playback_over" || problem.status === 404) outcomes.onOver(atSeconds);
      else outcomes.onRefused(problem, atSeconds);
    },
    signIn: async (isRefused) => seat.signIn(await askToken(controls.frame, layer, isRefused)),
  });
  const edges = new EdgeKeeper(keeper, playback.manifestUrl, playback.steeringUrl ?? null);
  controls.media.config = hlsConfig(playback, api, edges);
  return { controls, layer, keeper, edges, goOn };
}
