import type { Asset, LedgerEntry } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { everyEntry } from "../every-entry.ts";
import { type DrawerPart, section } from "./drawer-section.ts";
import { element } from "./element.ts";
import { factsKey, ledgerTable, renditionTable, sourceFacts } from "./facts.ts";
import { findingList } from "./findings.ts";
import { ladderChart } from "./ladder-chart.ts";
import { failureOf, problemOf, saidNodes } from "./problem-text.ts";
import { qualityTable } from "./quality-table.ts";
import { nextStepText, text } from "./strings.ts";

/** What is known of an asset: why it failed, what was found and made, and every attempt at it. */

/** Why it failed, and what to do next. */
export function problemPart(): DrawerPart {
  const root = element("div", { class: "problem", role: "alert", hidden: true });
  let shown = "";
  return {
    root,
    update({ error }) {
      root.hidden = error === null;
      const said = error === null ? "" : `${error.code} ${error.message}`;
      if (error === null || said === shown) return;
      shown = said;
      root.replaceChildren(
        element("p", { class: "why" }, ...saidNodes(failureOf(error))),
        element("p", {}, nextStepText(error.code)),
        element("p", { class: "facts" }, error.code),
      );
    },
  };
}

export interface FactsHandlers {
  onChange(asset: Asset): void;
  /** Somebody wants to see this moment of the film. */
  onSeek(seconds: number): void;
}

/** Findings, renditions, ladders and source, as far as they are known; drawn again when they change. */
export function factsPart(api: Api, handlers: FactsHandlers): DrawerPart {
  const root = element("div", { class: "facts-sections" });
  let shown = "";
  return {
    root,
    update(asset) {
      const key = factsKey(asset);
      if (shown === key) return;
      shown = key;
      root.replaceChildren(...factSections(api, asset, handlers));
    },
  };
}

function factSections(api: Api, asset: Asset, { onChange, onSeek }: FactsHandlers): HTMLElement[] {
  const { findings, renditions, source } = asset;
  const sections: HTMLElement[] = [];
  if (findings.length > 0) sections.push(section("findings", findingList(api, asset, onChange)));
  if (renditions.length > 0) sections.push(section("renditions", renditionTable(renditions)));
  const scores = qualityTable(asset, onSeek);
  if (scores !== null) sections.push(section("scores", scores));
  const charts = asset.ladder?.ladders.flatMap((ladder) => ladderChart(ladder) ?? []) ?? [];
  if (charts.length > 0) sections.push(section("ladder", ...charts));
  if (source !== null) sections.push(section("source", sourceFacts(source)));
  return sections;
}

/** Every attempt at its tasks. Read when it is opened: it can be long. */
export function ledgerSection(api: Api, assetId: string): HTMLElement {
  const content = element("div", {}, element("p", { class: "note" }, text("ledgerText")));
  const details = element("details", { class: "ledger" }, element("summary", {}, text("ledger")), content);
  details.addEventListener("toggle", async () => {
    if (!details.open) return;
    try {
      content.replaceChildren(
        ledgerTable(await everyEntry<LedgerEntry>(api, `/v1/assets/${assetId}/ledger`)),
      );
    } catch (thrown) {
      content.replaceChildren(element("p", { class: "note" }, ...saidNodes(problemOf(thrown))));
    }
  });
  return details;
}
