import type { Asset, Finding } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { formatClock } from "../pace.ts";
import { element } from "./element.ts";
import { statusNote } from "./form-parts.ts";
import { findingOf, saidNodes, tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

const SEVERITIES: readonly Finding["severity"][] = ["error", "warning", "info"];
/** A place of one frame in two hours is still to be seen. */
const NARROWEST_PERCENT = 0.6;

/** What was found in the master, the gravest first: where it is on the film's length, and for errors a way to accept them. */
export function findingList(api: Api, asset: Asset, onChange: (asset: Asset) => void): HTMLElement {
  const ordered = asset.findings.toSorted(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      (a.startSeconds ?? 0) - (b.startSeconds ?? 0),
  );
  const asked = new Set<string>();
  const items = ordered.map((finding) => {
    const label = text(`severity_${finding.severity}` as StringKey);
    const mark = element(
      "span",
      { class: "severity", "data-severity": finding.severity, title: finding.code },
      label,
    );
    const isOpen = finding.severity === "error" && finding.waivedBy === undefined && !asked.has(finding.code);
    // One waiver is for all places of its code.
    if (isOpen) asked.add(finding.code);
    const about = element(
      "div",
      {},
      element("p", {}, ...saidNodes(findingOf(finding))),
      ...placeOf(finding, asset),
      waiverOf(finding),
    );
    return element("li", {}, mark, about, isOpen ? waiveForm(api, asset.id, finding.code, onChange) : null);
  });
  return element("ul", { class: "findings" }, ...items);
}

/** The place in words and as a mark on a bar that is as long as the film. */
function placeOf({ startSeconds, endSeconds, severity }: Finding, { source }: Asset): HTMLElement[] {
  if (startSeconds === undefined || source === null) return [];
  const end = endSeconds ?? startSeconds;
  const words = text("findingAt", { start: formatClock(startSeconds), end: formatClock(end) });
  const share = (seconds: number): number => Math.min(100, (100 * seconds) / source.durationSeconds);
  const width = Math.max(NARROWEST_PERCENT, share(end) - share(startSeconds));
  const left = Math.min(share(startSeconds), 100 - width);
  const mark = element("span", { "data-severity": severity });
  // As properties: the page's security policy takes no style attributes.
  mark.style.left = `${left.toFixed(2)}%`;
  mark.style.width = `${width.toFixed(2)}%`;
  return [
    element("p", { class: "facts" }, words),
    element("div", { class: "finding-place", role: "img", "aria-label": words }, mark),
  ];
}

function waiverOf({ waivedBy, waivedReason }: Finding): HTMLElement | null {
  if (waivedBy === undefined) return null;
  return element("p", { class: "facts" }, text("waivedBy", { name: waivedBy, reason: waivedReason ?? "" }));
}

function waiveForm(api: Api, assetId: string, code: string, onChange: (asset: Asset) => void): HTMLElement {
  const reason = element("input", {
    required: true,
    maxlength: "1000",
    placeholder: text("waiveReason"),
    "aria-label": text("waiveReason"),
  });
  const note = statusNote();
  const button = element("button", { class: "secondary" }, text("waive"));
  const form = element("form", { class: "waive" }, reason, button, note);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const body = { reason: reason.value };
      onChange(await api.call<Asset>("POST", `/v1/assets/${assetId}/findings/${code}/waive`, { body }));
    } catch (thrown) {
      tellProblem(note, thrown);
    }
    button.disabled = false;
  });
  return form;
}
