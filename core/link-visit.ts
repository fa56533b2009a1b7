/** Who says of themselves that they fetch a link to show what is behind it, or to look through pages. */
const MACHINES =
  /bot\b|bot\/|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|embedly|skypeuripreview/i;

/** What a request for a link says of who asks: method, `User-Agent`, `Sec-Purpose` or `Purpose`. */
export interface LinkVisit {
  method: string;
  userAgent: string | undefined;
  purpose: string | undefined;
}

/**
 * Whether a request counts as somebody who followed the link. Not those that ask only for the head, that fetch ahead of a
 * click, or that name themselves as a machine; one that names itself as a browser counts, whatever it is.
 */
export function isCounted({ method, userAgent, purpose }: LinkVisit): boolean {
  return method === "GET" && !/prefetch|preview/i.test(purpose ?? "") && !MACHINES.test(userAgent ?? "");
}

/** Where a link leads: a place of the player's page, which is all that is ever added to it. */
export function playerPlace(
  playerUrl: string,
  link: { titleId: string; startSeconds: number | null },
  isFilm: boolean,
): string {
  const place = new URLSearchParams({ [isFilm ? "title" : "about"]: link.titleId });
  if (link.startSeconds !== null) place.set("from", String(link.startSeconds));
  return `${playerUrl}#${place}`;
}
