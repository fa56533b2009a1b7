import type { Row, TitlePage, ViewerApi } from "./api-client.ts";
import { aboutHref, cardLink, factsOf, posterOf } from "./card-link.ts";
import { element } from "./element.ts";
import { homeSkeleton } from "./skeletons.ts";
import { text } from "./strings.ts";
import { playLink } from "./to-watch.ts";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** What is published: the newest large, the rest in rows. */
export async function showHome(root: HTMLElement, api: ViewerApi): Promise<void> {
  root.replaceChildren(homeSkeleton());
  const rows = (await api.home()).filter(({ titles }) => titles.length > 0);
  const candidates = rows.filter(({ id }) => !id.startsWith("continue")).flatMap(({ titles }) => titles);
  const lead = candidates.find(({ posterUrl }) => posterUrl !== null) ?? candidates[0] ?? rows[0]?.titles[0];
  if (lead === undefined) {
    root.replaceChildren(emptyHouse());
    return;
  }
  // Before anything is shown: words that come later would move what is there.
  const title = await api.title(lead.id).catch(() => lead);
  root.replaceChildren(element("main", {}, heroOf(title), ...rows.map(rowOf)));
}

function emptyHouse(): HTMLElement {
  return element(
    "main",
    { class: "empty" },
    element("div", { class: "empty-screen", "aria-hidden": "true" }),
    element("h1", {}, text("emptyTitle")),
    element("p", {}, text("emptyText")),
  );
}

function heroOf(card: TitlePage): HTMLElement {
  return element(
    "section",
    { class: "hero", "aria-label": card.name },
    posterOf(card, "eager"),
    element(
      "div",
      { class: "hero-text" },
      element("h1", {}, card.name),
      element("p", { class: "facts" }, factsOf(card)),
      card.synopsis ? element("p", { class: "synopsis" }, card.synopsis) : null,
      element(
        "p",
        { class: "actions" },
        playLink(card),
        element("a", { class: "secondary", href: aboutHref(card) }, text("about")),
      ),
    ),
  );
}

function rowOf({ id, name, titles }: Row): HTMLElement {
  const headingId = `row-${id}`;
  const list = element("ul", { class: "cards" }, ...titles.map((card) => element("li", {}, cardLink(card))));
  const scroll = (direction: -1 | 1) => () => {
    list.scrollBy({ left: direction * list.clientWidth * 0.85, behavior: calm.matches ? "auto" : "smooth" });
  };
  const arrow = (label: string, sign: string, direction: -1 | 1) =>
    element(
      "button",
      { type: "button", class: "arrow", "aria-label": label, onclick: scroll(direction) },
      sign,
    );
  const arrows = element(
    "div",
    { class: "arrows" },
    arrow(text("less", { row: name }), "‹", -1),
    arrow(text("more", { row: name }), "›", 1),
  );
  const fit = new ResizeObserver(() => {
    arrows.hidden = list.scrollWidth <= list.clientWidth + 4;
  });
  fit.observe(list);
  const heading = element("div", { class: "row-head" }, element("h2", { id: headingId }, name), arrows);
  return element("section", { class: "row", "aria-labelledby": headingId }, heading, list);
}
