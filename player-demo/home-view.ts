import type { Card, Row, ViewerApi } from "./api-client.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** What is published: the newest large, the rest in rows. */
export async function showHome(root: HTMLElement, api: ViewerApi): Promise<void> {
  root.replaceChildren(element("p", { class: "loading", role: "status" }, text("loading")));
  const rows = (await api.home()).filter(({ titles }) => titles.length > 0);
  const lead = rows.find(({ id }) => !id.startsWith("continue"))?.titles[0] ?? rows[0]?.titles[0];
  if (lead === undefined) {
    root.replaceChildren(emptyHouse());
    return;
  }
  const synopsis = element("p", { class: "synopsis" });
  const main = element("main", {}, heroOf(lead, synopsis), ...rows.map(rowOf));
  root.replaceChildren(main);
  const title = await api.title(lead.id).catch(() => null);
  synopsis.textContent = typeof title?.synopsis === "string" ? title.synopsis : "";
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

function heroOf(card: Card, synopsis: HTMLElement): HTMLElement {
  const isBegun = (card.progressRatio ?? 0) > 0;
  return element(
    "section",
    { class: "hero", "aria-label": card.name },
    posterOf(card, "eager"),
    element(
      "div",
      { class: "hero-text" },
      element("h1", {}, card.name),
      element("p", { class: "facts" }, factsOf(card)),
      synopsis,
      element("a", { class: "primary play", href: hrefOf(card) }, text(isBegun ? "resume" : "play")),
    ),
  );
}

function rowOf({ id, name, titles }: Row): HTMLElement {
  const headingId = `row-${id}`;
  const list = element("ul", { class: "cards" }, ...titles.map((card) => element("li", {}, cardOf(card))));
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

function cardOf(card: Card): HTMLElement {
  const ratio = card.progressRatio ?? 0;
  const watched = text("watched", { percent: Math.round(ratio * 100) });
  const bar =
    ratio > 0
      ? element("span", { class: "watched", role: "img", "aria-label": watched, style: `--ratio:${ratio}` })
      : null;
  return element(
    "a",
    { class: "card", href: hrefOf(card) },
    element("span", { class: "frame" }, posterOf(card, "lazy"), bar),
    element("span", { class: "card-name" }, card.name),
    element("span", { class: "facts" }, factsOf(card)),
  );
}

/** The poster, or the film's initial where there is none (or it does not come). */
function posterOf({ name, posterUrl }: Card, loading: "eager" | "lazy"): HTMLElement {
  const initial = element("span", { class: "initial", "aria-hidden": "true" }, name.slice(0, 1));
  if (posterUrl === null) return initial;
  const image = element("img", { src: posterUrl, alt: "", loading, decoding: "async", class: "poster" });
  image.addEventListener("error", () => image.replaceWith(initial), { once: true });
  return image;
}

function factsOf({ releaseYear, maturity, durationSeconds }: Card): string {
  const minutes = Math.round((durationSeconds ?? 0) / 60);
  const length =
    durationSeconds === null
      ? null
      : durationSeconds < 60
        ? text("seconds", { count: Math.round(durationSeconds) })
        : text("minutes", { count: minutes });
  return [releaseYear, maturity, length].filter((fact) => fact !== null && fact !== undefined).join("  ·  ");
}

function hrefOf({ id }: Card): string {
  return `#title=${encodeURIComponent(id)}`;
}
