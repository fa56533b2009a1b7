import type { Chapter } from "./api-client.ts";
import { chapterAt, chapterEnd } from "./chapters.ts";
import { clockTime } from "./clock-time.ts";
import { element } from "./element.ts";
import { pageLanguage, text } from "./strings.ts";

/** A menu of media-chrome, as far as it is used here. */
export interface ChapterMenu extends HTMLElement {
  value: string;
}

/** The chapters as a menu: one goes to a chapter, and sees which one plays. null where there are none. */
export function chapterMenu(chapters: readonly Chapter[]): ChapterMenu | null {
  if (chapters.length === 0) return null;
  const items = chapters.map(({ startSeconds, name }) =>
    element(
      "media-chrome-menu-item",
      { type: "radio", value: String(startSeconds), "data-description": name },
      name,
      element("span", { slot: "suffix", class: "chapter-time" }, clockTime(startSeconds)),
    ),
  );
  const title = element("div", { slot: "title" }, text("chapters"));
  const menu = element("media-chrome-menu", { slot: "submenu", hidden: true, class: "chapters" });
  menu.append(title, ...items);
  return menu as ChapterMenu;
}

/**
 * Divides the seek bar into chapters, as cues of a text track of that kind, which is where media-chrome looks, and binds
 * the menu to the film. Returns how to let go.
 */
export function showChapters(
  video: HTMLVideoElement,
  chapters: readonly Chapter[],
  menu: ChapterMenu | null,
): () => void {
  const leaving = new AbortController();
  const [first] = chapters;
  if (first === undefined || menu === null) return () => undefined;
  const track = video.addTextTrack("chapters", text("chapters"), pageLanguage);
  // A disabled track has no cues; that it is hidden is what tells media-chrome to read them.
  track.mode = "hidden";
  // What lies before the first chapter has no name, but is a part of the bar.
  if (first.startSeconds > 0) track.addCue(new VTTCue(0, first.startSeconds, ""));
  for (const chapter of chapters) {
    // Without end: the last picture may end a little behind the film that was planned.
    const end = chapterEnd(chapters, chapter, Number.POSITIVE_INFINITY);
    track.addCue(new VTTCue(chapter.startSeconds, end, asCueText(chapter.name)));
  }
  let shown: Chapter | null = null;
  let isFollowing = false;
  const follow = () => {
    const current = chapterAt(chapters, video.currentTime);
    if (current === null || current === shown) return;
    shown = current;
    isFollowing = true;
    menu.value = String(current.startSeconds);
    isFollowing = false;
  };
  menu.addEventListener("change", () => {
    if (!isFollowing) video.currentTime = Number(menu.value);
  });
  video.addEventListener("timeupdate", follow, { signal: leaving.signal });
  return () => leaving.abort();
}

/** WebVTT §6.4: a cue's text is markup. */
function asCueText(name: string): string {
  return name.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
