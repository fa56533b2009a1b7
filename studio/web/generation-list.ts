import type { Asset, Generation, Page } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { element } from "./element.ts";
import { button, statusNote } from "./form-parts.ts";
import { tellProblem } from "./problem-text.ts";
import { numberText, text } from "./strings.ts";
import { percent } from "./viewing.ts";

/** The packages of an asset, how their viewers fare, and one click to show another one. */
export function generationList(api: Api, assetId: string, onChange: (asset: Asset) => void) {
  const list = element("ul", { class: "generations" });
  const note = statusNote();
  const root = element("div", {}, list, note);
  let shownKey = "";
  const show = async (generation: string): Promise<void> => {
    note.textContent = "";
    try {
      const body = { generation };
      onChange(await api.call<Asset>("POST", `/v1/assets/${assetId}/rollback`, { body }));
      note.textContent = text("wentBack");
    } catch (thrown) {
      tellProblem(note, thrown);
    }
  };
  const read = async (): Promise<void> => {
    const { data } = await api.call<Page<Generation>>("GET", `/v1/assets/${assetId}/generations`);
    list.replaceChildren(...data.map((one) => entry(one, data, show)));
  };
  return {
    root,
    /** Reads them again where the asset shows or makes another one: also the one that was gone back to here. */
    update({ state, generation }: Asset): void {
      const key = `${state} ${generation}`;
      if (key === shownKey) return;
      shownKey = key;
      read().catch((thrown) => {
        tellProblem(note, thrown);
      });
    },
  };
}

function entry(one: Generation, all: readonly Generation[], show: (generation: string) => void): HTMLElement {
  const { generation, state, health } = one;
  const made = new Date(one.createdAt).toLocaleString();
  const isShown = state === "published";
  const isWorse = isShown && health?.verdict === "worse";
  const before = all.find((other) => other.generation === health?.against && other.restorable);
  return element(
    "li",
    { "data-state": state, "data-verdict": health?.verdict },
    element("strong", {}, text(`generation_${state}`)),
    element(
      "div",
      {},
      element("p", {}, made, " ", element("code", {}, generation)),
      health === null || health.against === null
        ? null
        : element("p", { class: "facts" }, text(`health_${health.verdict}`)),
      ...(health?.reasons ?? []).map((reason) => element("p", { class: "facts" }, reasonText(reason))),
    ),
    isWorse && before !== undefined ? button("goBackTo", "primary", () => show(before.generation)) : null,
    !isShown && one.restorable ? button("goBack", "secondary", () => show(generation)) : null,
  );
}

type Reason = NonNullable<Generation["health"]>["reasons"][number];

function reasonText({ figure, before, now }: Reason): string {
  const shown = (value: number) =>
    figure === "startupP95Seconds" ? `${numberText(value, 1)} s` : percent(value);
  return text(`reason_${figure}`, { before: shown(before), now: shown(now) });
}
