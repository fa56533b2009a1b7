import Hls, { type HlsConfig } from "hls.js";
import type { Preview } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { element } from "./element.ts";
import { button, statusNote } from "./form-parts.ts";
import { tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";

/** The film as it will be seen, before it is published; loads nothing until asked. `stop` ends its session too. */
export function previewPlayer(api: Api, assetId: string) {
  let leave: () => void = () => undefined;
  let isStopped = false;
  const note = statusNote("previewText");
  const start = button("preview", "secondary preview", () => void play(0));
  const root = element("div", { class: "preview-frame" }, start, note);
  const play = async (fromSeconds: number) => {
    const asked = root.querySelector("button");
    if (asked !== null) asked.disabled = true;
    try {
      const preview = await api.call<Preview>("POST", `/v1/assets/${assetId}/preview`);
      const end = () => void api.call("DELETE", `/v1/playback/${preview.sessionId}`).catch(() => undefined);
      if (isStopped) return end();
      const video = previewVideo(preview);
      root.replaceChildren(video);
      const hls = attach(video, preview, { token: api.token, fromSeconds }, () => {
        // Without its source the video forgets where it was.
        const atSeconds = video.currentTime || fromSeconds;
        leave();
        note.textContent = text("previewStopped");
        root.append(
          note,
          button("retry", "secondary again", () => void play(atSeconds)),
        );
      });
      leave = () => {
        leave = () => undefined;
        hls.destroy();
        end();
      };
      await video.play().catch(() => undefined);
    } catch (thrown) {
      tellProblem(note, thrown);
      if (asked !== null) asked.disabled = false;
    }
  };
  const stop = () => {
    isStopped = true;
    leave();
  };
  return { root, stop };
}

function previewVideo({ posterUrl }: Preview): HTMLVideoElement {
  return element("video", {
    controls: true,
    playsinline: true,
    poster: posterUrl ?? undefined,
    "aria-label": text("preview"),
  });
}

/** `fail`: hls.js has given up. */
function attach(
  video: HTMLVideoElement,
  { manifestUrl, protection }: Preview,
  { token, fromSeconds }: { token: string; fromSeconds: number },
  fail: () => void,
): Hls {
  const startPosition = fromSeconds > 0 ? fromSeconds : -1;
  const hls = new Hls({ capLevelToPlayerSize: true, startPosition, ...unlocking(protection, token) });
  hls.on(Hls.Events.ERROR, (_event, { fatal }) => {
    if (fatal) fail();
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
