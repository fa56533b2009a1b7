import type { Card } from "./api-client.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";

/** Where a title plays at once: where it was left, or from its beginning. */
export function watchHref({ id }: Pick<Card, "id">, from: "left" | "beginning" = "left"): string {
  return `#title=${encodeURIComponent(id)}${from === "left" ? "" : "&from=0"}`;
}

/** To the films. */
export function goHome(): void {
  location.hash = "";
}

/** Where all that is told of a title stands. */
export function aboutHref({ id }: Pick<Card, "id">): string {
  return `#about=${encodeURIComponent(id)}`;
}

export function isPlayable({ type }: Card): boolean {
  return type === "movie" || type === "episode";
}

/** A title as a card: one that was begun goes on, any other tells of itself first. */
export function cardLink(card: Card): HTMLElement {
  const ratio = card.progressRatio ?? 0;
  const watched = text("watched", { percent: Math.round(ratio * 100) });
  const bar =
    ratio > 0
      ? element("span", { class: "watched", role: "img", "aria-label": watched, style: `--ratio:${ratio}` })
      : null;
  return element(
    "a",
    { class: "card", href: ratio > 0 && isPlayable(card) ? watchHref(card) : aboutHref(card) },
    element("span", { class: "frame" }, posterOf(card, "lazy"), bar),
    element("span", { class: "card-name" }, card.name),
    element("span", { class: "facts" }, factsOf(card)),
  );
}

/** The poster, or the film's initial where there is none (or it does not come). */
export function posterOf({ name, posterUrl }: Card, loading: "eager" | "lazy"): HTMLElement {
  const initial = element("span", { class: "initial", "aria-hidden": "true" }, name.slice(0, 1));
  if (posterUrl === null) return initial;
  const image = element("img", { src: posterUrl, alt: "", loading, decoding: "async", class: "poster" });
  image.addEventListener("error", () => image.replaceWith(initial), { once: true });
  return image;
}

/** Year, age rating and length, as far as they are known. */
export function factsOf({ releaseYear, maturity, durationSeconds }: Card): string {
  const minutes = Math.round((durationSeconds ?? 0) / 60);
  const length =
    durationSeconds === null
      ? null
      : durationSeconds < 60
        ? text("seconds", { count: Math.round(durationSeconds) })
        : text("minutes", { count: minutes });
  return [releaseYear, maturity, length].filter((fact) => fact !== null && fact !== undefined).join("  ·  ");
}
