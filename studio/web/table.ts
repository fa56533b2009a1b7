import { element } from "./element.ts";

/** Heads over rows, in its frame. */
export function table(heads: string[], rows: (string | HTMLElement)[][]): HTMLElement {
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return tableFrame(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

/** A table that scrolls by itself where it is wider than the page, by keys too. */
export function tableFrame(made: HTMLTableElement): HTMLElement {
  return element("div", { class: "table-frame", tabindex: "0" }, made);
}
