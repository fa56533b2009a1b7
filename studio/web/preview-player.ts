import Hls from "hls.js";
import type { Preview } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { element } from "./element.ts";
import { problemText } from "./problem-text.ts";
import { text } from "./strings.ts";

/** The film as it will be seen, before it is published; loads nothing until asked. */
export function previewPlayer(api: Api, assetId: string) {
  let hls: Hls | null = null;
  const note = element("p", { class: "note", role: "status" }, text("previewText"));
  const start = element("button", { type: "button", class: "secondary preview" }, text("preview"));
  const root = element("div", { class: "preview-frame" }, start, note);
  const play = async () => {
    start.disabled = true;
    try {
      const { manifestUrl, posterUrl } = await api.call<Preview>("POST", `/v1/assets/${assetId}/preview`);
      const video = element("video", {
        controls: true,
        playsinline: true,
        poster: posterUrl ?? undefined,
        "aria-label": text("preview"),
      });
      root.replaceChildren(video);
      hls = attach(video, manifestUrl, (message) => {
        note.textContent = message;
        root.append(note);
      });
      await video.play().catch(() => undefined);
    } catch (thrown) {
      note.textContent = problemText(thrown);
      start.disabled = false;
    }
  };
  start.addEventListener("click", () => void play());
  return { root, stop: () => hls?.destroy() };
}

function attach(video: HTMLVideoElement, manifestUrl: string, fail: (message: string) => void): Hls {
  const hls = new Hls({ capLevelToPlayerSize: true });
  hls.on(Hls.Events.ERROR, (_event, { fatal }) => {
    if (fatal) fail(text("unknown"));
  });
  hls.loadSource(manifestUrl);
  hls.attachMedia(video);
  return hls;
}
