import Hls, { type HlsConfig } from "hls.js";
import type { Preview } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { element } from "./element.ts";
import { button, statusNote } from "./form-parts.ts";
import { tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";

/** The film as it will be seen, before it is published; loads nothing until asked. */
export function previewPlayer(api: Api, assetId: string) {
  let hls: Hls | null = null;
  const note = statusNote("previewText");
  const start = button("preview", "secondary preview");
  const root = element("div", { class: "preview-frame" }, start, note);
  const play = async () => {
    start.disabled = true;
    try {
      const preview = await api.call<Preview>("POST", `/v1/assets/${assetId}/preview`);
      const video = element("video", {
        controls: true,
        playsinline: true,
        poster: preview.posterUrl ?? undefined,
        "aria-label": text("preview"),
      });
      root.replaceChildren(video);
      hls = attach(video, preview, api.token, (message) => {
        note.textContent = message;
        root.append(note);
      });
      await video.play().catch(() => undefined);
    } catch (thrown) {
      tellProblem(note, thrown);
      start.disabled = false;
    }
  };
  start.addEventListener("click", () => void play());
  return { root, stop: () => hls?.destroy() };
}

function attach(
  video: HTMLVideoElement,
  { manifestUrl, protection }: Preview,
  token: string,
  fail: (message: string) => void,
): Hls {
  const hls = new Hls({ capLevelToPlayerSize: true, ...unlocking(protection, token) });
  hls.on(Hls.Events.ERROR, (_event, { fatal }) => {
    if (fatal) fail(text("unknown"));
  });
  hls.loadSource(manifestUrl);
  hls.attachMedia(video);
  return hls;
}

/** What hls.js needs to play a protected film. */
function unlocking(protection: Preview["protection"], token: string): Partial<HlsConfig> {
  if (protection === undefined) return {};
  return {
    emeEnabled: true,
    drmSystems: { [protection.keySystem]: { licenseUrl: protection.licenseUrl } },
    licenseXhrSetup: (request, url) => {
      request.open("POST", url, true);
      request.setRequestHeader("Authorization", `Bearer ${token}`);
    },
  };
}
