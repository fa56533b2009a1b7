import type Hls from "hls.js";
import { element } from "./element.ts";
import type { GrantKeeper } from "./grant-keeper.ts";
import { text } from "./strings.ts";

const EVERY_MS = 500;

/** The numbers behind the picture, for those who press `d`. Returns the overlay and how to show or hide it. */
export function statsOverlay(hls: Hls, video: HTMLVideoElement, grants: GrantKeeper) {
  const list = element("dl", {});
  const overlay = element(
    "div",
    { class: "stats", "aria-label": text("stats"), role: "group", hidden: true },
    list,
  );
  let timer = 0;
  const draw = () => {
    const facts = readFacts(hls, video, grants).flatMap(([name, value]) => [
      element("dt", {}, name),
      element("dd", {}, value),
    ]);
    list.replaceChildren(...facts);
  };
  const toggle = () => {
    overlay.hidden = !overlay.hidden;
    clearInterval(timer);
    if (overlay.hidden) return;
    draw();
    timer = window.setInterval(draw, EVERY_MS);
  };
  return { overlay, toggle, stop: () => clearInterval(timer) };
}

function readFacts(hls: Hls, video: HTMLVideoElement, grants: GrantKeeper): [string, string][] {
  const level = hls.levels[hls.currentLevel];
  const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality();
  const codecs = [level?.videoCodec, level?.audioCodec].filter((codec) => codec !== undefined).join(", ");
  const levels = `${hls.currentLevel + 1}/${hls.levels.length}${hls.autoLevelEnabled ? " auto" : ""}`;
  return [
    ["Picture", `${video.videoWidth}×${video.videoHeight}`],
    ["Level", level === undefined ? "–" : `${levels}, ${megabits(level.averageBitrate)}`],
    ["Codecs", codecs === "" ? "–" : codecs],
    ["Throughput", megabits(hls.bandwidthEstimate)],
    ["Buffer", `${bufferedAhead(video).toFixed(1)} s`],
    ["Frames", `${totalVideoFrames} (${droppedVideoFrames} dropped)`],
    ["Position", `${video.currentTime.toFixed(2)} of ${video.duration.toFixed(2)} s`],
    ["Grant", `${Math.round(grants.secondsLeft)} s left`],
  ];
}

function bufferedAhead({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime && currentTime <= buffered.end(index)) {
      return buffered.end(index) - currentTime;
    }
  }
  return 0;
}

function megabits(bitsPerSecond: number): string {
  return Number.isFinite(bitsPerSecond) ? `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s` : "–";
}
