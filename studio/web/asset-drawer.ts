import type { Asset, LedgerEntry } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { chip } from "./asset-card.ts";
import type { BrowserUpload } from "./browser-upload.ts";
import { element } from "./element.ts";
import { factsKey, ledgerTable, renditionTable, sourceFacts } from "./facts.ts";
import { findingList } from "./findings.ts";
import { generationList } from "./generation-list.ts";
import { ladderChart } from "./ladder-chart.ts";
import { posterPicker } from "./poster-picker.ts";
import { previewPlayer } from "./preview-player.ts";
import { problemText } from "./problem-text.ts";
import { stepper } from "./stepper.ts";
import { nextStepText, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";
import { subtitleForm } from "./subtitle-form.ts";
import { titleForm } from "./title-form.ts";
import { viewing } from "./viewing.ts";

export interface AssetDrawer {
  readonly assetId: string;
  update(asset: Asset, upload: BrowserUpload | null): void;
}

/** Opens one asset at the side: its way, its title, a preview, and everything known of it. */
export function openDrawer(
  api: Api,
  first: Asset,
  handlers: { onChange(asset: Asset): void; onClose(): void },
): AssetDrawer {
  const state = chip();
  const steps = stepper();
  const problem = element("div", { class: "problem", role: "alert", hidden: true });
  const actions = workActions(api, first.id, handlers.onChange);
  const preview = previewPlayer(api, first.id);
  const previewSection = section("preview", preview.root);
  const posters = posterPicker(api, first.id, handlers.onChange);
  const postersSection = section("poster", posters.root);
  const title = titleForm(api, first, (titleId) => handlers.onChange({ ...latest, titleId }));
  const subtitles = subtitleForm(api, first.id, handlers.onChange);
  const figures = viewing(api);
  const viewingSection = section("viewing", figures.root);
  const generations = generationList(api, first.id, handlers.onChange);
  const facts = element("div", { class: "facts-sections" });
  const close = element(
    "button",
    { type: "button", class: "close", "aria-label": text("close"), onclick: () => dialog.close() },
    "×",
  );
  const heading = element("h2", { id: "asset-name" }, first.filename);
  const dialog = element(
    "dialog",
    { class: "drawer", "aria-labelledby": "asset-name" },
    element("header", {}, heading, state.root, close),
    steps.root,
    problem,
    actions.root,
    section("title", title.root),
    previewSection,
    postersSection,
    section("subtitles", subtitles.root),
    viewingSection,
    section("generations", generations.root),
    facts,
    ledgerSection(api, first.id),
    removal(api, first.id, (asset) => {
      handlers.onChange(asset);
      dialog.close();
    }),
  );
  let latest = first;
  let shownFacts = "";
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    preview.stop();
    dialog.remove();
    handlers.onClose();
  });
  document.body.append(dialog);
  dialog.showModal();
  return {
    assetId: first.id,
    update(asset, upload) {
      latest = asset;
      state.update(asset.state);
      steps.update(asset, upload);
      actions.update(asset);
      title.update(asset);
      subtitles.update(asset);
      previewSection.hidden = !asset.progress.playable;
      postersSection.hidden = !posters.update(asset);
      viewingSection.hidden = !figures.update(asset.titleId);
      generations.update(asset);
      showProblem(problem, asset);
      if (shownFacts === factsKey(asset)) return;
      shownFacts = factsKey(asset);
      facts.replaceChildren(...factSections(api, asset, handlers.onChange));
    },
  };
}

function section(key: StringKey, ...content: HTMLElement[]): HTMLElement {
  return element("section", {}, element("h3", {}, text(key)), ...content);
}

function factSections(api: Api, asset: Asset, onChange: (asset: Asset) => void): HTMLElement[] {
  const { findings, renditions, source } = asset;
  const sections: HTMLElement[] = [];
  if (findings.length > 0) sections.push(section("findings", findingList(api, asset, onChange)));
  if (renditions.length > 0) sections.push(section("renditions", renditionTable(renditions)));
  const charts = asset.ladder?.ladders.flatMap((ladder) => ladderChart(ladder) ?? []) ?? [];
  if (charts.length > 0) sections.push(section("ladder", ...charts));
  if (source !== null) sections.push(section("source", sourceFacts(source)));
  return sections;
}

function showProblem(problem: HTMLElement, { error }: Asset): void {
  problem.hidden = error === null;
  const said = error === null ? "" : `${error.code} ${error.message}`;
  if (error === null || problem.dataset.said === said) return;
  problem.dataset.said = said;
  problem.replaceChildren(
    element("p", {}, element("strong", {}, error.message)),
    element("p", {}, nextStepText(error.code)),
    element("p", { class: "facts" }, error.code),
  );
}

function workActions(api: Api, assetId: string, onChange: (asset: Asset) => void) {
  const note = element("p", { class: "note", role: "status" });
  const act = (verb: "retry" | "cancel") => async () => {
    try {
      note.textContent = "";
      await api.call("POST", `/v1/assets/${assetId}/${verb}`);
      onChange(await api.call<Asset>("GET", `/v1/assets/${assetId}`));
    } catch (thrown) {
      note.textContent = problemText(thrown);
    }
  };
  const retry = element(
    "button",
    { type: "button", class: "secondary", onclick: act("retry") },
    text("retry"),
  );
  const cancel = element(
    "button",
    { type: "button", class: "secondary", onclick: act("cancel") },
    text("cancel"),
  );
  const root = element("div", { class: "actions" }, retry, cancel, note);
  return {
    root,
    update({ state }: Asset) {
      retry.hidden = state !== "failed" && state !== "cancelled";
      cancel.hidden = state !== "queued" && state !== "probing" && state !== "encoding";
      root.hidden = retry.hidden && cancel.hidden && note.textContent === "";
    },
  };
}

/** Deleting asks once more, in place. */
function removal(api: Api, assetId: string, onRemoved: (asset: Asset) => void): HTMLElement {
  const note = element("p", { class: "note", role: "status" });
  const ask = element("button", { type: "button", class: "quiet danger" }, text("remove"));
  const yes = element("button", { type: "button", class: "secondary danger" }, text("removeYes"));
  const no = element("button", { type: "button", class: "secondary" }, text("removeNo"));
  const question = element("div", { class: "actions", hidden: true }, yes, no);
  const turn = (isAsked: boolean) => {
    ask.hidden = isAsked;
    question.hidden = !isAsked;
    note.textContent = isAsked ? text("removeSure") : "";
    (isAsked ? no : ask).focus();
  };
  ask.addEventListener("click", () => turn(true));
  no.addEventListener("click", () => turn(false));
  yes.addEventListener("click", async () => {
    yes.disabled = true;
    try {
      onRemoved(await api.call<Asset>("DELETE", `/v1/assets/${assetId}`));
    } catch (thrown) {
      note.textContent = problemText(thrown);
    }
    yes.disabled = false;
  });
  return element("section", { class: "removal" }, ask, note, question);
}

/** Read when it is opened: it can be long. */
function ledgerSection(api: Api, assetId: string): HTMLElement {
  const content = element("div", {}, element("p", { class: "note" }, text("ledgerText")));
  const details = element("details", { class: "ledger" }, element("summary", {}, text("ledger")), content);
  details.addEventListener("toggle", async () => {
    if (!details.open) return;
    try {
      const { data } = await api.call<{ data: LedgerEntry[] }>("GET", `/v1/assets/${assetId}/ledger`);
      content.replaceChildren(ledgerTable(data));
    } catch (thrown) {
      content.replaceChildren(element("p", { class: "note" }, problemText(thrown)));
    }
  });
  return details;
}
