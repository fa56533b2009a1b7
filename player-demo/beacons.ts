import Hls from "hls.js";
import { ApiProblem, type Beacon, type ViewerApi } from "./api-client.ts";
import { renditionOf, type Told, type WatchMeter } from "./watch-meter.ts";

/** So far behind at most is the place that is kept, should the machine lose its power. */
const EVERY_MS = 5_000;
const HEARTBEAT_MS = 10_000;
/** The API takes so many at once, and a page that closes may send 64 KiB. */
const MAX_BATCH = 100;
/** Some hours without a network: older ones are given up. */
const MAX_WAITING = 2_000;

/** What is measured, and of what. */
export interface Watching {
  sessionId: string;
  video: HTMLVideoElement;
  hls: Hls;
  /** By `performance.now()`. */
  meter: WatchMeter;
}

/**
 * Tells the server where the viewer is and how the film plays: every five seconds while it plays, at play, pause, seek and
 * end, and when the page goes. What could not be sent is sent with the next; the server counts each event once. Returns
 * how to stop (after a last one).
 */
export function startBeacons(
  api: ViewerApi,
  { sessionId, video, hls, meter }: Watching,
): () => Promise<void> {
  const outbox = openOutbox(api, sessionId);
  const tell = (told: readonly Told[]) => outbox.put(...told.map((one) => placed(video, one)));
  const say = (type: string) => {
    outbox.put(placed(video, { type, rate: video.playbackRate }));
    return outbox.send();
  };
  let sentAtSeconds = -1;
  let beatAtMs = performance.now();
  const beat = () => {
    if (video.paused || video.currentTime === sentAtSeconds) return;
    sentAtSeconds = video.currentTime;
    if (performance.now() - beatAtMs >= HEARTBEAT_MS) {
      beatAtMs = performance.now();
      tell(meter.heartbeat(beatAtMs));
    }
    void say("progress");
  };
  const halt = (type: string) => () => {
    tell(meter.halts(performance.now()));
    if (type !== "seeking") tell(meter.heartbeat(performance.now()));
    if (type !== "seeking" && video.readyState > 0) void say(type);
  };
  const stopListening = listen(video, {
    loadedmetadata: () => meter.ready(performance.now()),
    play: () => {
      meter.wished(performance.now());
      if (video.readyState > 0) void say("play");
    },
    playing: () => {
      tell(meter.moves(performance.now()));
      void outbox.send();
    },
    timeupdate: () => {
      if (!video.paused && !video.seeking) meter.advances(performance.now());
    },
    waiting: () => meter.waits(performance.now(), video.seeking || video.paused || video.ended),
    seeking: halt("seeking"),
    seeked: () => void say("seek"),
    pause: halt("pause"),
    ended: halt("end"),
  });
  // For all that is known here it is the end, also of what stands still or has failed.
  const onHide = () => {
    tell(meter.left(performance.now()));
    void say("hide");
  };
  hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
    const { url, averageBitrate, height } = hls.levels[level] ?? {};
    const rung = { renditionId: renditionOf(url?.[0] ?? ""), bps: averageBitrate ?? 0, height: height ?? 0 };
    tell(meter.switched(performance.now(), rung));
  });
  hls.on(Hls.Events.ERROR, (_event, { details, fatal }) => {
    tell(meter.failed(performance.now(), details, fatal));
  });
  const timer = window.setInterval(beat, EVERY_MS);
  addEventListener("pagehide", onHide);
  if (video.readyState > 0) meter.ready(performance.now());
  return async () => {
    clearInterval(timer);
    stopListening();
    removeEventListener("pagehide", onHide);
    tell(meter.left(performance.now()));
    await say("leave");
  };
}

function listen(video: HTMLVideoElement, listeners: Record<string, () => void>): () => void {
  for (const [type, listener] of Object.entries(listeners)) video.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of Object.entries(listeners)) video.removeEventListener(type, listener);
  };
}

function placed(video: HTMLVideoElement, event: { type: string; [detail: string]: Beacon[string] }): Beacon {
  const positionSeconds = Number.isFinite(video.currentTime) ? video.currentTime : 0;
  return { ...event, at: new Date().toISOString(), positionSeconds };
}

/** Events on their way, in batches; those that did not arrive wait for the next sending. */
function openOutbox(api: ViewerApi, sessionId: string) {
  let waiting: Beacon[] = [];
  const send = async (): Promise<void> => {
    const batch = waiting.slice(0, MAX_BATCH);
    if (batch.length === 0) return;
    waiting = waiting.slice(batch.length);
    try {
      await api.beacon(sessionId, batch);
    } catch (thrown) {
      // What the server refuses it refuses again; a session that is not known any more has nothing to tell.
      const isRefused = thrown instanceof ApiProblem && thrown.status >= 400 && thrown.status < 429;
      if (!isRefused) waiting = [...batch, ...waiting].slice(-MAX_WAITING);
      return;
    }
    await send();
  };
  return {
    put(...events: Beacon[]) {
      waiting.push(...events);
    },
    send,
  };
}
