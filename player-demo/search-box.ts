import type { ViewerApi } from "./api-client.ts";
import { cardLink } from "./card-link.ts";
import { element } from "./element.ts";
import { problemText } from "./problem-panel.ts";
import { text } from "./strings.ts";

const TYPING_PAUSE_MS = 200;

/** Finds titles as one types. `show` is given what was found, or null once nothing is asked for. */
export function searchBox(api: ViewerApi, show: (found: HTMLElement | null) => void): HTMLElement {
  const input = element("input", {
    type: "search",
    name: "q",
    class: "search",
    placeholder: text("search"),
    "aria-label": text("search"),
    autocomplete: "off",
    maxlength: "100",
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  const ask = async () => {
    const query = input.value.trim();
    const turn = ++asked;
    const found = query === "" ? null : await foundFor(api, query);
    // A later question has been asked meanwhile.
    if (turn === asked) show(found);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), TYPING_PAUSE_MS);
  });
  return input;
}

async function foundFor(api: ViewerApi, query: string): Promise<HTMLElement> {
  const main = (said: string, ...content: HTMLElement[]) =>
    element("main", { class: "found" }, element("h2", { role: "status" }, said), ...content);
  try {
    const cards = await api.search(query);
    if (cards.length === 0) return main(text("foundNothing", { query }));
    return main(text("found", { query }), element("div", { class: "grid" }, ...cards.map(cardLink)));
  } catch (thrown) {
    return main(problemText(thrown));
  }
}
