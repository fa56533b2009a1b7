import type { Card, TitlePage } from "./api-client.ts";
import { isPlayable, watchHref } from "./card-link.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";

/** As good as to its end: the server would start it from its beginning. */
export function isSeen({ progressRatio }: Card): boolean {
  return progressRatio === 1;
}

/** The way to play it: where it was left, or from the beginning. null where there is nothing to play. */
export function playLink(title: TitlePage): HTMLElement | null {
  const film = filmOf(title);
  if (film === null) return null;
  const label = text(isBegun(film) ? "resume" : "play");
  return element("a", { class: "primary play", href: watchHref(film) }, label);
}

/** The way to its beginning, where playing would go on from elsewhere; else null. */
export function startOverLink(title: TitlePage): HTMLElement | null {
  const film = filmOf(title);
  if (film === null || !isBegun(film)) return null;
  return element("a", { class: "secondary", href: watchHref(film, "beginning") }, text("startOver"));
}

function isBegun(film: Card): boolean {
  return (film.progressRatio ?? 0) > 0 && !isSeen(film);
}

/** What is played: the film itself, or of a series the first episode that is not seen to its end. */
function filmOf(title: TitlePage): Card | null {
  if (isPlayable(title)) return title;
  const episodes = [...(title.seasons ?? []).flatMap((season) => season.episodes), ...(title.episodes ?? [])];
  return episodes.find((episode) => !isSeen(episode)) ?? episodes[0] ?? null;
}
