import { clockTime } from "./clock-time.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";
import { cardButton, showCard, type WatchLayer } from "./watch-layer.ts";

const SHOWN_SECONDS = 10;

/** Says from where the film goes on, and offers its beginning, for the first ten seconds of it. */
export function resumeCard(layer: WatchLayer, video: HTMLVideoElement, fromSeconds: number): void {
  const startOver = () => {
    video.currentTime = 0;
    // Where it was not allowed to begin by itself, this click allows it.
    void video.play().catch(() => undefined);
    close();
  };
  const message = text("continuing", { time: clockTime(fromSeconds) });
  const remove = showCard(
    layer,
    "resume",
    () => close(),
    element("p", {}, message),
    cardButton(text("startOver"), false, startOver),
  );
  const close = () => {
    video.removeEventListener("timeupdate", onTime);
    remove();
  };
  // By the film's own time: whoever has paused keeps the offer.
  const onTime = () => {
    const isNear = video.currentTime >= fromSeconds - 1 && video.currentTime < fromSeconds + SHOWN_SECONDS;
    if (!isNear && !video.seeking && video.played.length > 0) close();
  };
  video.addEventListener("timeupdate", onTime);
  layer.say(message);
}
