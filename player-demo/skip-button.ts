import type { Chapter } from "./api-client.ts";
import { chapterAt, chapterEnd } from "./chapters.ts";
import { text } from "./strings.ts";
import { cardButton, showCard, type WatchLayer } from "./watch-layer.ts";

/** Offers to skip the intro or the recap while one plays. Returns how to end it. */
export function skipButton(
  layer: WatchLayer,
  video: HTMLVideoElement,
  chapters: readonly Chapter[],
  durationSeconds: number,
): () => void {
  let offered: Chapter | null = null;
  let remove: () => void = () => undefined;
  const onTime = () => {
    const current = chapterAt(chapters, video.currentTime);
    if (current === offered) return;
    remove();
    remove = () => undefined;
    offered = current;
    if (current?.kind !== "intro" && current?.kind !== "recap") return;
    const skip = () => {
      video.currentTime = chapterEnd(chapters, current, durationSeconds);
    };
    const label = text(`skip_${current.kind}`);
    remove = showCard(layer, "skip", () => undefined, cardButton(label, false, skip));
  };
  video.addEventListener("timeupdate", onTime);
  return () => video.removeEventListener("timeupdate", onTime);
}
