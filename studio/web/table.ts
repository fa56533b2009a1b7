import { element } from "./element.ts";

/** A table that scrolls by itself where it is wider than the page, by keys too. */
export function table(heads: string[], rows: (string | HTMLElement)[][]): HTMLElement {
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "table-frame", tabindex: "0" }, made);
}
