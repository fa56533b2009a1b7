import Hls from "hls.js";
import { element } from "./element.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { text } from "./strings.ts";
import type { WatchLayer } from "./watch-layer.ts";

export interface Connection {
  /** Nothing comes through any more, and hls.js has given up: it is asked again until something does. */
  lost(): void;
  stop(): void;
}

/**
 * Waits with the viewer for a connection that is gone: says so, asks again with growing pauses and at once where the
 * machine is back on a network, and goes on from the same place. `resume` makes hls.js load again.
 */
export function keepConnected(hls: Hls, layer: WatchLayer, resume: () => void): Connection {
  const leaving = new AbortController();
  let tries = 0;
  let timer = 0;
  const tryNow = () => {
    clearTimeout(timer);
    timer = 0;
    resume();
  };
  const retry = element("button", { type: "button", class: "secondary", onclick: tryNow }, text("tryNow"));
  const notice = element("p", { class: "notice" }, text("connectionLost"), retry);
  const show = () => {
    retry.hidden = timer === 0;
    if (notice.isConnected) return;
    layer.notices.append(notice);
    layer.say(text("connectionLost"));
  };
  const hide = () => {
    tries = 0;
    if (!notice.isConnected) return;
    notice.remove();
    layer.say(text("connectionBack"));
  };
  const onOnline = () => {
    if (timer !== 0) tryNow();
    // Enough may be buffered that nothing needs to be asked for yet.
    else hide();
  };
  addEventListener("offline", show, { signal: leaving.signal });
  addEventListener("online", onOnline, { signal: leaving.signal });
  for (const loaded of [Hls.Events.FRAG_LOADED, Hls.Events.MANIFEST_LOADED]) {
    // Answers that were under way may still come in after the line is cut.
    hls.on(loaded, () => navigator.onLine && hide());
  }
  return {
    lost() {
      if (timer !== 0 || leaving.signal.aborted) return;
      timer = window.setTimeout(tryNow, retryDelayMs(++tries));
      show();
    },
    stop() {
      clearTimeout(timer);
      leaving.abort();
    },
  };
}
