import type Hls from "hls.js";
import type HlsVideoElement from "hls-video-element";
import { ApiProblem, type Playback, type ViewerApi } from "./api-client.ts";
import { startBeacons } from "./beacons.ts";
import { EdgeKeeper } from "./edge-keeper.ts";
import { element } from "./element.ts";
import { fitPicture, isHdrScreen } from "./fit-picture.ts";
import { fitSound, outputChannels } from "./fit-sound.ts";
import { GrantKeeper } from "./grant-keeper.ts";
import { keepCaptions } from "./keep-captions.ts";
import { keepPlaying, leaveSilentEdges } from "./keep-playing.ts";
import { askNextEdge } from "./load-policies.ts";
import { playerControls } from "./player-controls.ts";
import { problemPanel, problemText } from "./problem-panel.ts";
import { protectionConfig } from "./protection.ts";
import { seekThumbnails } from "./seek-thumbnails.ts";
import { statsOverlay } from "./stats-overlay.ts";
import { text } from "./strings.ts";

declare global {
  interface Window {
    /** What plays now, for tests: hls.js and the native video element. Nothing in the page reads it. */
    matinee?: { hls: Hls; video: HTMLVideoElement };
  }
}

/** Plays a title in `root`. Returns how to leave: playing stops, the position is kept, the session ends. */
export function showWatch(root: HTMLElement, api: ViewerApi, titleId: string): () => void {
  let leave: () => void = () => undefined;
  let isLeft = false;
  const start = async (fromSeconds: number | null): Promise<void> => {
    leave();
    const askedAtMs = performance.now();
    root.replaceChildren(element("p", { class: "loading", role: "status" }, text("loading")));
    try {
      const [playback, title] = await Promise.all([api.play(titleId), api.title(titleId).catch(() => null)]);
      if (isLeft) return void api.end(playback.sessionId).catch(() => undefined);
      const resumeAtSeconds = fromSeconds ?? playback.resumeAtSeconds;
      leave = await play({ ...playback, resumeAtSeconds }, title?.name ?? "", askedAtMs);
    } catch (thrown) {
      if (!isLeft) fail(problemText(thrown), null);
    }
  };
  const fail = (message: string, atSeconds: number | null) => {
    leave();
    leave = () => undefined;
    const retry = { label: text("retry"), run: () => void start(atSeconds) };
    root.replaceChildren(problemPanel(message, retry, { label: text("backToFilms"), run: goHome }));
    root.querySelector<HTMLElement>(".primary")?.focus();
  };
  const play = async (playback: Playback, name: string, askedAtMs: number): Promise<() => void> => {
    let grants: GrantKeeper | null = null;
    const controls = playerControls(name, playback.posterUrl, goHome);
    const failHere = (message: string) => fail(message, video.currentTime);
    const { video } = controls;
    // A session lives for a day: where it is over, a new one goes on from the same place.
    grants = new GrantKeeper(api, playback, ({ code, status }) => {
      if (code === "playback_over") void start(video.currentTime);
      else failHere(problemText(new ApiProblem(status, code)));
    });
    const keeper = grants;
    const edges = new EdgeKeeper(keeper, playback.manifestUrl, playback.steeringUrl ?? null);
    controls.media.config = {
      capLevelToPlayerSize: true,
      // In the query: headers would cost a preflight for every segment. Only what the edge counts.
      cmcd: { includeKeys: ["br", "bl", "bs", "mtp", "ot", "sid"] },
      ...protectionConfig(playback, api),
      // Hls.js opens the request itself unless it is open already.
      xhrSetup: (request, url) => edges.open(request, url),
      ...(playback.steeringUrl === undefined ? {} : askNextEdge(() => edges.count)),
      // One of us steers.
      contentSteeringController: undefined,
    };
    root.replaceChildren(controls.frame);
    const hls = await load(controls.media, playback.manifestUrl);
    fitSound(hls, outputChannels());
    fitPicture(hls, isHdrScreen());
    const stopCaptions = keepCaptions(hls, video, controls.frame);
    const stats = statsOverlay(hls, video, keeper);
    controls.frame.append(stats.overlay);
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "d" && !event.ctrlKey && !event.metaKey && !event.altKey) stats.toggle();
    };
    addEventListener("keydown", onKey);
    // Before what may give up: an error that ends the session is told as its last word.
    const stopBeacons = startBeacons(api, { sessionId: playback.sessionId, video, hls, askedAtMs });
    keepPlaying(hls, video, keeper, failHere);
    leaveSilentEdges(hls, edges);
    const { storyboardUrl } = playback;
    const dropThumbnails =
      storyboardUrl === null ? null : seekThumbnails(video, storyboardUrl, (url) => edges.address(url));
    window.matinee = { hls, video };
    begin(video, playback.resumeAtSeconds);
    controls.frame.focus();
    return () => {
      removeEventListener("keydown", onKey);
      stats.stop();
      dropThumbnails?.();
      stopCaptions();
      keeper.stop();
      edges.stop();
      delete window.matinee;
      void stopBeacons().then(() => api.end(playback.sessionId).catch(() => undefined));
      video.pause();
      hls.destroy();
    };
  };
  void start(null);
  return () => {
    isLeft = true;
    leave();
  };
}

/**
 * Gives the element its source and answers the hls.js that it makes one microtask later. Waiting for anything more (its
 * `loadstart`, say) would let the manifest be read before anyone listens.
 */
async function load(media: HlsVideoElement, manifestUrl: string): Promise<Hls> {
  media.setAttribute("src", manifestUrl);
  await Promise.resolve();
  if (media.api === null) throw new ApiProblem(409, "unsupported");
  return media.api;
}

function begin(video: HTMLVideoElement, atSeconds: number): void {
  const onMetadata = () => {
    if (atSeconds > 0) video.currentTime = atSeconds;
    // Refused where nobody has touched the page yet: the poster and the play button stay.
    video.play().catch(() => undefined);
  };
  if (video.readyState > 0) onMetadata();
  else video.addEventListener("loadedmetadata", onMetadata, { once: true });
}

function goHome(): void {
  location.hash = "";
}
