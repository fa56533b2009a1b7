import type { TitlePage } from "./api-client.ts";

const PAGE_NAME = document.title;

/**
 * Tells the machine what plays, for its lock screen, its media keys and the tab. Play, pause and seek it finds by itself.
 * Returns how to take it back.
 */
export function tellSystem(
  title: TitlePage | null,
  posterUrl: string | null,
  goOn: (() => void) | null,
): () => void {
  if (title === null) return () => undefined;
  document.title = `${title.name} – ${PAGE_NAME}`;
  const { mediaSession } = navigator;
  mediaSession.metadata = new MediaMetadata({
    title: title.name,
    artist: (title.parents ?? []).map(({ name }) => name).join(" · "),
    artwork: posterUrl === null ? [] : [{ src: posterUrl }],
  });
  mediaSession.setActionHandler("nexttrack", goOn);
  return () => {
    document.title = PAGE_NAME;
    mediaSession.metadata = null;
    mediaSession.setActionHandler("nexttrack", null);
  };
}
