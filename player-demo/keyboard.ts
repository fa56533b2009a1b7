/** The seek bar is an input too, but takes no letters. */
const NOT_OURS = "input:not([type=range]), textarea, select, dialog[open]";

export interface KeyActions {
  next: (() => void) | null;
  toggleStats: () => void;
  showHelp: () => void;
}

/**
 * The keys that media-chrome does not know: 0 to 9, i, Shift+N and ?. Its own are heard only within the player; where
 * nothing has the focus, they are handed to it. Returns how to stop listening.
 */
export function listenToKeys(frame: HTMLElement, video: HTMLVideoElement, actions: KeyActions): () => void {
  const onKey = (event: KeyboardEvent) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    const isElsewhere = event.composedPath().some((one) => one instanceof Element && one.matches(NOT_OURS));
    if (ctrlKey || metaKey || altKey || isElsewhere) return;
    if (/^\d$/.test(key)) {
      if (Number.isFinite(video.duration)) video.currentTime = (video.duration * Number(key)) / 10;
    } else if (key === "i") actions.toggleStats();
    else if (key === "N") actions.next?.();
    else if (key === "?") actions.showHelp();
    else if (event.target === document.body) {
      frame.focus();
      frame.dispatchEvent(new KeyboardEvent(event.type, event));
    }
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
