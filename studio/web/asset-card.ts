import type { Asset } from "../answers.ts";
import { formatBytes, formatClock } from "../pace.ts";
import type { BrowserUpload } from "./browser-upload.ts";
import { element } from "./element.ts";
import { button } from "./form-parts.ts";
import { failureOf, saidNodes } from "./problem-text.ts";
import { plain, type Said } from "./said.ts";
import { pageLanguage, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

/** A film in the list: on its way up, in the works, or made. */
export interface Entry {
  asset: Asset | null;
  upload: BrowserUpload | null;
}

/** One card, kept and brought up to date, so that focus stays where it is. */
export interface AssetCard {
  root: HTMLElement;
  update(entry: Entry): void;
}

export function assetCard(first: Entry, open: (assetId: string) => void): AssetCard {
  let entry = first;
  const name = element("span", { class: "card-name" });
  const state = chip();
  const facts = element("span", { class: "facts" });
  const bar = progressBar();
  const picture = cardPicture();
  const card = element(
    "button",
    { type: "button", class: "card", onclick: () => entry.asset !== null && open(entry.asset.id) },
    picture.root,
    element("span", { class: "card-head" }, name, state.root),
    bar.root,
    facts,
  );
  const controls = uploadControls(() => entry.upload);
  const root = element("li", {}, card, controls.root);
  const update = (next: Entry) => {
    entry = next;
    const { asset, upload } = entry;
    name.textContent = asset?.filename ?? upload?.file.name ?? "";
    const isSending = upload !== null && upload.phase !== "done";
    const isFetching = asset?.progress.stage === "fetching";
    state.update(
      isSending ? "waiting" : (asset?.state ?? "waiting"),
      isSending ? uploadLabel(upload) : isFetching ? text("fetching") : undefined,
    );
    const ratio = isSending ? upload.sentBytes / Math.max(1, upload.file.size) : (asset?.progress.ratio ?? 0);
    const isMoving =
      isSending || isFetching || ["queued", "probing", "encoding"].includes(asset?.state ?? "");
    bar.root.hidden = !isMoving;
    bar.update(ratio);
    facts.replaceChildren(...saidNodes(isSending ? uploadFacts(upload) : assetFacts(asset)));
    facts.classList.toggle("bad", upload?.phase === "failed" || asset?.state === "failed");
    controls.update();
    picture.update(asset);
  };
  update(first);
  return { root, update };
}

/** The film's poster, loaded when the card comes into sight, and anew only when it is another one. */
function cardPicture() {
  const root = element("span", { class: "card-picture" });
  let shown = "";
  return {
    root,
    update(asset: Asset | null) {
      const poster = asset?.posters.find(({ chosen }) => chosen);
      if (asset === null || poster === undefined) return;
      const wanted = `${asset.generation} ${poster.id}`;
      if (shown === wanted) return;
      shown = wanted;
      const image = element("img", { src: poster.url, alt: "", decoding: "async", loading: "lazy" });
      // The card's own ground shows where it does not come.
      image.addEventListener("error", () => image.remove(), { once: true });
      root.replaceChildren(image);
    },
  };
}

/** The state as a small labelled lamp. */
export function chip() {
  const root = element("span", { class: "chip" });
  return {
    root,
    update(state: Asset["state"], label = text(`state_${state}` as StringKey)) {
      root.dataset.state = state;
      root.textContent = label;
    },
  };
}

export function progressBar() {
  const root = element("span", {
    class: "progress",
    role: "progressbar",
    "aria-label": text("progress"),
    "aria-valuemin": "0",
    "aria-valuemax": "100",
  });
  return {
    root,
    update(ratio: number) {
      const percent = Math.floor(Math.min(1, Math.max(0, ratio)) * 100);
      root.style.setProperty("--ratio", `${ratio}`);
      root.setAttribute("aria-valuenow", `${percent}`);
    },
  };
}

function uploadControls(upload: () => BrowserUpload | null) {
  const control = (key: StringKey, run: () => void) => button(key, "quiet", run);
  const pause = control("pause", () => upload()?.pause());
  const goOn = control("resume", () => void upload()?.run());
  const retry = control("retry", () => void upload()?.run());
  const cancel = control("cancel", () => void upload()?.cancel());
  const root = element("div", { class: "card-actions" }, pause, goOn, retry, cancel);
  return {
    root,
    update() {
      const phase = upload()?.phase;
      pause.hidden = phase !== "sending";
      goOn.hidden = phase !== "paused";
      retry.hidden = phase !== "failed";
      cancel.hidden = pause.hidden && goOn.hidden && retry.hidden;
      root.hidden = cancel.hidden;
    },
  };
}

function uploadLabel({ phase }: BrowserUpload): string {
  if (phase === "paused") return text("paused");
  if (phase === "completing") return text("completing");
  if (phase === "failed") return text("uploadFailed");
  return text("sending");
}

function uploadFacts({ problem, sentBytes, bytesPerSecond, file, phase }: BrowserUpload): Said {
  if (problem !== null) return problem;
  const done = text("ofSize", {
    done: formatBytes(sentBytes, pageLanguage),
    total: formatBytes(file.size, pageLanguage),
  });
  if (phase !== "sending" || bytesPerSecond === 0) return plain(done);
  const left = text("left", { time: formatClock((file.size - sentBytes) / bytesPerSecond) });
  return plain(`${done} · ${formatBytes(bytesPerSecond, pageLanguage)}/s · ${left}`);
}

function assetFacts(asset: Asset | null): Said {
  if (asset === null) return plain("");
  const { source, state, progress, error, createdAt } = asset;
  // The drawer has the rest of it.
  if (error !== null) return { ...failureOf(error), original: null };
  if (state === "queued" || state === "probing" || state === "encoding") {
    const left =
      progress.secondsLeft === null ? null : text("left", { time: formatClock(progress.secondsLeft) });
    const facts = [
      `${Math.floor(progress.ratio * 100)} %`,
      left,
      progress.playable ? text("playable") : null,
    ];
    return plain(facts.filter((fact) => fact !== null).join(" · "));
  }
  const picture = source === null ? null : `${source.video.width}×${source.video.height}`;
  const length = source === null ? null : formatClock(source.durationSeconds);
  const day = new Date(createdAt).toLocaleDateString();
  return plain([length, picture, day].filter((fact) => fact !== null).join(" · "));
}
