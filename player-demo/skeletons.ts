import { element } from "./element.ts";
import { text } from "./strings.ts";

const CARDS = 6;

/** What stands where the front page will be: of the same measures, so that nothing jumps when it comes. */
export function homeSkeleton(): HTMLElement {
  return element(
    "main",
    { class: "skeleton", "aria-busy": "true" },
    loadingWord(),
    element("div", { class: "hero" }, element("div", { class: "hero-text" }, bone("wide"), bone("narrow"))),
    element(
      "div",
      { class: "row" },
      element("div", { class: "row-head" }, bone("narrow")),
      element("ul", { class: "cards" }, ...Array.from({ length: CARDS }, cardBone)),
    ),
  );
}

/** The same for what is told of a title. */
export function dialogSkeleton(): HTMLElement[] {
  const picture = element("div", { class: "title-picture bone" });
  return [loadingWord(), picture, element("div", { class: "told skeleton" }, bone("narrow"), bone("wide"))];
}

function cardBone(): HTMLElement {
  return element("li", { class: "card" }, element("span", { class: "frame bone" }), bone("narrow"));
}

function bone(width: "wide" | "narrow"): HTMLElement {
  return element("span", { class: `bone ${width}`, "aria-hidden": "true" });
}

function loadingWord(): HTMLElement {
  return element("p", { class: "unseen", role: "status" }, text("loading"));
}
