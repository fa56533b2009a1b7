import Hls from "hls.js";
import type { Beacon, ViewerApi } from "./api-client.ts";
import { type Outbox, openOutbox } from "./outbox.ts";
import type { TellingClock } from "./server-clock.ts";
import { renditionOf, type Told, type WatchMeter } from "./watch-meter.ts";

/** So far behind at most is the place that is kept, should the machine lose its power. */
const EVERY_MS = 5_000;
const HEARTBEAT_MS = 10_000;

/** What is measured, and of what. */
export interface Watching {
  sessionId: string;
  /** By which it is told when something was: this machine's may be another on each screen of the viewer. */
  clock: TellingClock;
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
export function startBeacons(api: ViewerApi, watching: Watching): () => Promise<void> {
  const { video, hls, meter } = watching;
  const teller = new Teller(openOutbox(api, watching.sessionId), watching);
  const stopListening = listen(video, momentsOf(video, meter, teller));
  listenToHls(hls, meter, teller);
  const timer = window.setInterval(() => teller.beat(), EVERY_MS);
  // For all that is known here it is the end, also of what stands still or has failed.
  const onHide = () => void teller.leave("hide");
  addEventListener("pagehide", onHide);
  if (video.readyState > 0) meter.ready(performance.now());
  return async () => {
    clearInterval(timer);
    stopListening();
    removeEventListener("pagehide", onHide);
    await teller.leave("leave");
  };
}

/** Puts into words where the viewer is, and sends it with what was measured until then. */
class Teller {
  readonly #outbox: Outbox;
  readonly #video: HTMLVideoElement;
  readonly #clock: TellingClock;
  readonly #meter: WatchMeter;
  #sentAtSeconds = -1;
  #beatAtMs = performance.now();

  constructor(outbox: Outbox, { video, clock, meter }: Watching) {
    this.#outbox = outbox;
    this.#video = video;
    this.#clock = clock;
    this.#meter = meter;
  }

  /** With the next sending. */
  tell(told: readonly Told[]): void {
    this.#outbox.put(...told.map((one) => this.#placed(one)));
  }

  send(): void {
    void this.#outbox.send();
  }

  /** At once; before the film is known there is no place to tell. */
  say(type: string): void {
    if (this.#video.readyState > 0) void this.#say(type);
  }

  /** Where it is while it plays. */
  beat(): void {
    const { paused, currentTime } = this.#video;
    if (paused || currentTime === this.#sentAtSeconds) return;
    this.#sentAtSeconds = currentTime;
    if (performance.now() - this.#beatAtMs >= HEARTBEAT_MS) {
      this.#beatAtMs = performance.now();
      this.tell(this.#meter.heartbeat(this.#beatAtMs));
    }
    void this.#say("progress");
  }

  leave(type: string): Promise<void> {
    this.tell(this.#meter.left(performance.now()));
    return this.#say(type);
  }

  #say(type: string): Promise<void> {
    this.#outbox.put(this.#placed({ type, rate: this.#video.playbackRate }));
    return this.#outbox.send();
  }

  #placed(event: { type: string; [detail: string]: Beacon[string] }): Beacon {
    const { currentTime } = this.#video;
    const positionSeconds = Number.isFinite(currentTime) ? currentTime : 0;
    return { ...event, at: new Date(this.#clock.nextMs()).toISOString(), positionSeconds };
  }
}

function momentsOf(video: HTMLVideoElement, meter: WatchMeter, teller: Teller): Record<string, () => void> {
  const now = () => performance.now();
  const halt = (type: string) => () => {
    teller.tell(meter.halts(now()));
    teller.tell(meter.heartbeat(now()));
    teller.say(type);
  };
  return {
    loadedmetadata: () => meter.ready(now()),
    play: () => {
      meter.wished(now());
      teller.say("play");
    },
    playing: () => {
      teller.tell(meter.moves(now()));
      teller.send();
    },
    timeupdate: () => {
      if (!video.paused && !video.seeking) meter.advances(now());
    },
    waiting: () => meter.waits(now(), video.seeking || video.paused || video.ended),
    seeking: () => teller.tell(meter.halts(now())),
    seeked: () => teller.say("seek"),
    pause: halt("pause"),
    ended: halt("end"),
  };
}

function listenToHls(hls: Hls, meter: WatchMeter, teller: Teller): void {
  hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
    const { url, averageBitrate, height } = hls.levels[level] ?? {};
    const rung = { renditionId: renditionOf(url?.[0] ?? ""), bps: averageBitrate ?? 0, height: height ?? 0 };
    teller.tell(meter.switched(performance.now(), rung));
  });
  hls.on(Hls.Events.ERROR, (_event, { details, fatal }) => {
    teller.tell(meter.failed(performance.now(), details, fatal));
  });
}

function listen(video: HTMLVideoElement, listeners: Record<string, () => void>): () => void {
  for (const [type, listener] of Object.entries(listeners)) video.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of Object.entries(listeners)) video.removeEventListener(type, listener);
  };
}
