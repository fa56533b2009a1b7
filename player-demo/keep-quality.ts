import Hls from "hls.js";
import type HlsVideoElement from "hls-video-element";

/** The element's list of qualities; its own types leave it out. -1 is none in particular. */
interface QualityList {
  videoRenditions: { selectedIndex: number };
}

/**
 * Leaves the quality to hls.js until a person chooses one. The element pins the lower one that it comes to when a segment
 * has failed, and the film would stay there long after the line is good again. Returns how to end it.
 */
export function keepQuality(hls: Hls, media: HlsVideoElement, frame: HTMLElement): () => void {
  const list = media as unknown as QualityList;
  let isChosen = false;
  const onRequest = (event: Event) => {
    isChosen = (event as CustomEvent<string>).detail !== "auto";
  };
  // Behind the element's own listener, which was there first.
  hls.on(Hls.Events.LEVEL_SWITCHED, () => {
    if (!isChosen) list.videoRenditions.selectedIndex = -1;
  });
  frame.addEventListener("mediarenditionrequest", onRequest);
  return () => frame.removeEventListener("mediarenditionrequest", onRequest);
}
