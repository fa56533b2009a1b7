import type Hls from "hls.js";
import type HlsVideoElement from "hls-video-element";
import { ApiProblem } from "./api-problem.ts";

/**
 * Gives the element its source and answers the hls.js that it makes one microtask later. Waiting for anything more (its
 * `loadstart`, say) would let the manifest be read before anyone listens.
 */
export async function loadFilm(media: HlsVideoElement, manifestUrl: string): Promise<Hls> {
  media.setAttribute("src", manifestUrl);
  await Promise.resolve();
  // Without media sources it makes none, and has not even the member then.
  if (!media.api) throw new ApiProblem(409, "unsupported");
  return media.api;
}

/** Plays from there on, as soon as it can. */
export function beginAt(video: HTMLVideoElement, atSeconds: number): void {
  const onMetadata = () => {
    if (atSeconds > 0) video.currentTime = atSeconds;
    // Refused where nobody has touched the page yet: the poster and the play button stay.
    video.play().catch(() => undefined);
  };
  if (video.readyState > 0) onMetadata();
  else video.addEventListener("loadedmetadata", onMetadata, { once: true });
}
