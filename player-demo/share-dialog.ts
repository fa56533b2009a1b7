import { clockTime } from "./clock-time.ts";
import { element } from "./element.ts";
import { openDialog } from "./player-dialog.ts";
import { problemText } from "./problem-panel.ts";
import { text } from "./strings.ts";

/** Makes the link to the film, from a moment of it or (null) from where whoever opens it left it. */
export type MakeLink = (startSeconds: number | null) => Promise<string>;

/** What can be shared of a film, over it: a link, from this moment on where that is wanted, made when it is copied. */
export function showShare(frame: HTMLElement, video: HTMLVideoElement, makeLink: MakeLink): void {
  const momentSeconds = video.ended ? 0 : Math.floor(video.currentTime);
  const moment = element("input", { type: "checkbox", id: "share-moment" });
  const link = element("input", { type: "text", id: "share-link", readonly: true });
  const shown = element("p", { class: "share-made", hidden: true });
  shown.append(element("label", { for: "share-link" }, text("shareLink")), link);
  const said = element("p", { class: "facts", role: "status" });
  const copy = element("button", { type: "submit", class: "primary" }, text("shareCopy"));
  /** What was made is not made again: each is a link of its own. */
  const made = new Map<number | null, Promise<string>>();
  const linkFrom = (startSeconds: number | null): Promise<string> => {
    const known = made.get(startSeconds) ?? makeLink(startSeconds);
    made.set(startSeconds, known);
    known.catch(() => made.delete(startSeconds));
    return known;
  };
  const hand = async (event: Event) => {
    event.preventDefault();
    copy.disabled = true;
    try {
      link.value = await linkFrom(moment.checked ? momentSeconds : null);
      shown.hidden = false;
      said.textContent = text((await copied(link.value)) ? "shareCopied" : "shareByHand");
      link.select();
    } catch (thrown) {
      said.textContent = problemText(thrown);
    }
    copy.disabled = false;
  };
  const choice = element("p", { hidden: momentSeconds === 0 });
  const time = text("shareFrom", { time: clockTime(momentSeconds) });
  choice.append(moment, element("label", { for: "share-moment" }, time));
  const form = element("form", { onsubmit: hand }, choice, copy, shown, said);
  openDialog(frame, "share", text("shareTitle"), element("p", { class: "facts" }, text("shareText")), form);
}

/** Where the browser lets nobody write into its clipboard (plain HTTP, say), the field is there to copy from. */
async function copied(address: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    return false;
  }
}
