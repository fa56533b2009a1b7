import type { Card, TitlePage } from "./api-client.ts";
import { isPlayable, watchHref } from "./card-link.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";

/** Behind this share a film counts as seen: the server starts it from its beginning too. */
const SEEN_RATIO = 0.95;

export function isSeen({ progressRatio }: Card): boolean {
  return (progressRatio ?? 0) >= SEEN_RATIO;
}

/** Play; or where it was begun and not seen to its end, go on or start over. None where there is nothing to play. */
export function waysIn(title: TitlePage): HTMLElement[] {
  const film = filmOf(title);
  if (film === null) return [];
  const isBegun = (film.progressRatio ?? 0) > 0 && !isSeen(film);
  const play = element(
    "a",
    { class: "primary play", href: watchHref(film) },
    text(isBegun ? "resume" : "play"),
  );
  if (!isBegun) return [play];
  return [play, element("a", { class: "secondary", href: watchHref(film, "beginning") }, text("startOver"))];
}

/** What is played: the film itself, or of a series the first episode that is not seen to its end. */
function filmOf(title: TitlePage): Card | null {
  if (isPlayable(title)) return title;
  const episodes = [...(title.seasons ?? []).flatMap((season) => season.episodes), ...(title.episodes ?? [])];
  return episodes.find((episode) => !isSeen(episode)) ?? episodes[0] ?? null;
}
