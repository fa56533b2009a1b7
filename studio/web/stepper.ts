import type { Asset } from "../answers.ts";
import { progressBar } from "./asset-card.ts";
import type { BrowserUpload } from "./browser-upload.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

const STEPS: readonly Asset["state"][] = ["waiting", "queued", "probing", "encoding", "ready"];

/** The way of a film from upload to ready, and how far it is. */
export function stepper() {
  const steps = STEPS.map((step) => element("li", {}, text(`state_${step}` as StringKey)));
  const percent = element("span", { class: "percent" });
  const bar = progressBar();
  const root = element(
    "div",
    { class: "stepper" },
    element("ol", {}, ...steps),
    element("div", { class: "bar-line" }, bar.root, percent),
  );
  return {
    root,
    update(asset: Asset, upload: BrowserUpload | null) {
      const isSending = upload !== null && upload.phase !== "done";
      const reached = isSending ? 0 : reachedStep(asset);
      const hasEnded = asset.state === "failed" || asset.state === "cancelled";
      for (const [index, step] of steps.entries()) {
        step.classList.toggle("done", index < reached || asset.state === "ready");
        step.classList.toggle("bad", index === reached && hasEnded);
        if (index === reached) step.setAttribute("aria-current", "step");
        else step.removeAttribute("aria-current");
      }
      const ratio = isSending ? upload.sentBytes / Math.max(1, upload.file.size) : asset.progress.ratio;
      bar.update(ratio);
      percent.textContent = `${Math.floor(ratio * 100)} %`;
    },
  };
}

/** Of a film that ended otherwise, the step at which it did. */
function reachedStep({ state, source }: Asset): number {
  const index = STEPS.indexOf(state);
  if (index >= 0) return index;
  return STEPS.indexOf(source === null ? "probing" : "encoding");
}
