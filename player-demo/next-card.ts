import type { Card, Chapter } from "./api-client.ts";
import { posterOf } from "./card-link.ts";
import { announcedFrom } from "./chapters.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";
import { cardButton, showCard, type WatchLayer } from "./watch-layer.ts";

/**
 * Announces the next episode towards the end and goes on to it with the end, unless that is cancelled. Who seeks back
 * from there is asked again. Returns how to end it.
 */
export function nextCard(
  layer: WatchLayer,
  video: HTMLVideoElement,
  next: Card,
  chapters: readonly Chapter[],
  go: () => void,
): () => void {
  let isCancelled = false;
  let remove: (() => void) | null = null;
  const counted = element("p", { class: "facts" });
  const hide = () => {
    remove?.();
    remove = null;
  };
  const cancel = () => {
    isCancelled = true;
    hide();
  };
  const show = () => {
    remove = showCard(layer, "next", cancel, ...announcement(next, counted, go, cancel));
    layer.say(`${text("nextEpisode")}: ${next.name}`);
  };
  const onTime = () => {
    const { currentTime, duration, playbackRate } = video;
    if (!Number.isFinite(duration)) return;
    const isDue = currentTime >= announcedFrom(chapters, duration);
    if (!isDue) {
      isCancelled = false;
      hide();
    } else if (!isCancelled) {
      if (remove === null) show();
      const seconds = Math.ceil((duration - currentTime) / Math.max(playbackRate, 0.1));
      counted.textContent = text("nextIn", { count: seconds });
    }
  };
  const onEnded = () => {
    if (!isCancelled) go();
  };
  video.addEventListener("timeupdate", onTime);
  video.addEventListener("ended", onEnded);
  return () => {
    video.removeEventListener("timeupdate", onTime);
    video.removeEventListener("ended", onEnded);
  };
}

function announcement(next: Card, counted: HTMLElement, go: () => void, cancel: () => void): HTMLElement[] {
  const buttons = [cardButton(text("playNow"), true, go), cardButton(text("cancel"), false, cancel)];
  return [
    element("div", { class: "frame" }, posterOf(next, "eager")),
    element("p", { class: "facts" }, text("nextEpisode")),
    element("p", { class: "card-name" }, next.name),
    counted,
    element("div", { class: "actions" }, ...buttons),
  ];
}
