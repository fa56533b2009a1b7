import type { Card, TitlePage, ViewerApi } from "./api-client.ts";
import { aboutHref, cardLink, factsOf, posterOf } from "./card-link.ts";
import { element } from "./element.ts";
import { problemText } from "./problem-panel.ts";
import { dialogSkeleton } from "./skeletons.ts";
import { text } from "./strings.ts";
import { isSeen, playLink, startOverLink } from "./to-watch.ts";

/** All that is told of a title, over the page, with its episodes. Answers how to take it away. */
export function showTitle(api: ViewerApi, titleId: string, onClosed: () => void): () => void {
  const close = element("button", { type: "button", class: "close", "aria-label": text("close") }, "×");
  const content = element("div", {}, ...dialogSkeleton());
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
  const picture = element(
    "div",
    { class: "title-picture" },
    posterOf(title, "eager"),
    element("h2", { id: "title-name" }, title.name),
  );
  const told = element(
    "div",
    { class: "told" },
    element("p", { class: "actions" }, playLink(title), startOverLink(title)),
    partOf(title),
    element("p", { class: "facts" }, factsOf(title)),
    synopsis ? element("p", { class: "synopsis" }, synopsis) : null,
    genres?.length ? element("p", { class: "facts" }, genres.join("  ·  ")) : null,
    cast?.length ? element("p", { class: "facts" }, text("cast", { names: cast.join(", ") })) : null,
  );
  const parts = seasons?.length ? [seasonShelf(seasons)] : [];
  if (episodes?.length) parts.push(episodeGrid(text("episodes"), episodes));
  return [picture, told, ...parts];
}

/** The way from an episode to its series. */
function partOf({ parents }: TitlePage): HTMLElement | null {
  const [first] = parents ?? [];
  if (first === undefined) return null;
  const name = (parents ?? []).map((parent) => parent.name).join("  ·  ");
  return element("a", { class: "facts part-of", href: aboutHref(first) }, text("partOf", { name }));
}

/** One season at a time, the first that is not seen to its end; a choice where there are several. */
function seasonShelf(seasons: NonNullable<TitlePage["seasons"]>): HTMLElement {
  const isOpen = ({ episodes }: { episodes: Card[] }) => episodes.some((episode) => !isSeen(episode));
  const first = Math.max(0, seasons.findIndex(isOpen));
  const shelf = element("div", {});
  const show = (index: number) => {
    const season = seasons[index];
    if (season !== undefined) shelf.replaceChildren(episodeGrid(season.name, season.episodes));
  };
  show(first);
  if (seasons.length === 1) return shelf;
  const options = seasons.map(({ name }, index) =>
    element("option", { value: String(index), selected: index === first }, name),
  );
  const choice = element("select", { class: "season", "aria-label": text("season") }, ...options);
  choice.addEventListener("change", () => show(Number(choice.value)));
  return element("div", {}, element("p", { class: "told" }, choice), shelf);
}

function episodeGrid(heading: string, episodes: readonly Card[]): HTMLElement {
  return element(
    "section",
    { class: "told" },
    element("h3", {}, heading),
    element("div", { class: "grid" }, ...episodes.map(cardLink)),
  );
}
