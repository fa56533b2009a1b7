import type { ViewerApi } from "./api-client.ts";

const EVERY_MS = 10_000;

/**
 * Tells the server where the viewer is: every ten seconds while it plays, at play, pause, seek and end, and when the
 * page goes. A lost beacon is no matter: the next one says more. Returns how to stop (after a last one).
 */
export function startBeacons(
  api: ViewerApi,
  sessionId: string,
  video: HTMLVideoElement,
): () => Promise<void> {
  let sentAtSeconds = -1;
  const send = async (type: string): Promise<void> => {
    const positionSeconds = Number.isFinite(video.currentTime) ? video.currentTime : 0;
    sentAtSeconds = positionSeconds;
    const event = { type, at: new Date().toISOString(), positionSeconds, rate: video.playbackRate };
    await api.beacon(sessionId, [event]).catch(() => undefined);
  };
  const types: Record<string, string> = { play: "play", pause: "pause", seeked: "seek", ended: "end" };
  const onEvent = ({ type }: Event) => {
    if (video.readyState > 0) void send(types[type] ?? type);
  };
  const onHide = () => void send("hide");
  const timer = window.setInterval(() => {
    if (!video.paused && video.currentTime !== sentAtSeconds) void send("progress");
  }, EVERY_MS);
  for (const type of Object.keys(types)) video.addEventListener(type, onEvent);
  addEventListener("pagehide", onHide);
  return async () => {
    clearInterval(timer);
    for (const type of Object.keys(types)) video.removeEventListener(type, onEvent);
    removeEventListener("pagehide", onHide);
    await send("leave");
  };
}
