import type Hls from "hls.js";
import { element } from "./element.ts";
import type { GrantKeeper } from "./grant-keeper.ts";
import type { LastSegment } from "./last-segment.ts";
import { numberText, text } from "./strings.ts";
import type { WatchMeter } from "./watch-meter.ts";

const EVERY_MS = 500;

/** What is told beside what hls.js and the video say. */
interface Known {
  grants: GrantKeeper;
  meter: WatchMeter;
  last: LastSegment;
}

/** The numbers behind the picture, for those who press `i`. Returns the overlay and how to show or hide it. */
export function statsOverlay(hls: Hls, video: HTMLVideoElement, known: Known) {
  const list = element("dl", {});
  const overlay = element(
    "div",
    { class: "stats", "aria-label": text("stats"), role: "group", hidden: true, noautohide: true },
    list,
  );
  let timer = 0;
  const draw = () => {
    const facts = [...pictureFacts(hls, video), ...lineFacts(hls, video, known)];
    list.replaceChildren(
      ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
    );
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

function pictureFacts(hls: Hls, video: HTMLVideoElement): [string, string][] {
  const level = hls.levels[hls.currentLevel];
  const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality();
  const codecs = [level?.videoCodec, level?.audioCodec].filter((codec) => codec !== undefined).join(", ");
  const rung = level === undefined ? "–" : `${level.height}p, ${megabits(level.averageBitrate)}`;
  const place = `${hls.currentLevel + 1}/${hls.levels.length}`;
  const chosen = hls.autoLevelEnabled ? `, ${text("statAuto")}` : "";
  return [
    [text("statPicture"), `${video.videoWidth}×${video.videoHeight}`],
    [text("statLevel"), `${rung} (${place}${chosen})`],
    [text("statCodecs"), codecs === "" ? "–" : codecs],
    [text("statFrames"), `${totalVideoFrames} (${text("statDropped", { count: droppedVideoFrames })})`],
    [text("statPosition"), `${numberText(video.currentTime, 2)} / ${numberText(video.duration, 2)} s`],
  ];
}

function lineFacts(
  hls: Hls,
  video: HTMLVideoElement,
  { grants, meter, last: { edge, ms } }: Known,
): [string, string][] {
  const { startupSeconds, stalls, stalledSeconds } = meter.felt;
  const last = ms === null ? "" : ` (${text("statLast", { count: ms })})`;
  return [
    [text("statThroughput"), `${megabits(hls.bandwidthEstimate)}${last}`],
    [text("statBuffer"), `${numberText(bufferedAhead(video), 1)} s`],
    [text("statStart"), startupSeconds === null ? "–" : `${numberText(startupSeconds, 2)} s`],
    [text("statStalls"), `${stalls} (${numberText(stalledSeconds, 1)} s)`],
    [text("statEdge"), edge ?? "–"],
    [text("statGrant"), text("statLeft", { count: Math.round(grants.secondsLeft) })],
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
  return Number.isFinite(bitsPerSecond) ? `${numberText(bitsPerSecond / 1e6, 2)} Mbit/s` : "–";
}
