import type { Card, TitlePage, ViewerApi } from "./api-client.ts";
import { cardLink, factsOf, isPlayable, posterOf, watchHref } from "./card-link.ts";
import { element } from "./element.ts";
import { problemText } from "./problem-panel.ts";
import { text } from "./strings.ts";

/** All that is told of a title, over the page, with its episodes. Answers how to take it away. */
export function showTitle(api: ViewerApi, titleId: string, onClosed: () => void): () => void {
  const close = element("button", { type: "button", class: "close", "aria-label": text("close") }, "×");
  const content = element("div", {}, element("p", { class: "told", role: "status" }, text("loading")));
  const dialog = element("dialog", { class: "title", "aria-labelledby": "title-name" }, close, content);
  const leave = new AbortController();
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // Escape closes it too. Not when a link in it led on: then the address says already what comes next.
  dialog.addEventListener("close", onClosed, { signal: leave.signal });
  document.body.append(dialog);
  dialog.showModal();
  api.title(titleId).then(
    (title) => content.replaceChildren(...storyOf(title)),
    (thrown) => content.replaceChildren(element("p", { class: "told", role: "alert" }, problemText(thrown))),
  );
  return () => {
    leave.abort();
    dialog.remove();
  };
}

function storyOf(title: TitlePage): HTMLElement[] {
  const { synopsis, genres, cast, seasons, episodes } = title;
  const play = element("a", { class: "primary play", href: watchHref(title) }, text("play"));
  const picture = element(
    "div",
    { class: "title-picture" },
    posterOf(title, "eager"),
    element("h2", { id: "title-name" }, title.name),
  );
  const told = element(
    "div",
    { class: "told" },
    isPlayable(title) ? play : null,
    element("p", { class: "facts" }, factsOf(title)),
    synopsis ? element("p", { class: "synopsis" }, synopsis) : null,
    genres?.length ? element("p", { class: "facts" }, genres.join("  ·  ")) : null,
    cast?.length ? element("p", { class: "facts" }, text("cast", { names: cast.join(", ") })) : null,
  );
  const parts = (seasons ?? []).map((season) => episodeGrid(season.name, season.episodes));
  if (episodes?.length) parts.push(episodeGrid(text("episodes"), episodes));
  return [picture, told, ...parts];
}

function episodeGrid(heading: string, episodes: readonly Card[]): HTMLElement {
  return element(
    "section",
    { class: "told" },
    element("h3", {}, heading),
    element("div", { class: "grid" }, ...episodes.map(cardLink)),
  );
}
