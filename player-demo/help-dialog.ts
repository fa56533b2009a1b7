import { element } from "./element.ts";
import { openDialog } from "./player-dialog.ts";
import { type StringKey, text } from "./strings.ts";

const KEYS: [string[], StringKey][] = [
  [["Space", "K"], "keyPlay"],
  [["←", "→", "J", "L"], "keySeek"],
  [["0", "…", "9"], "keyJump"],
  [["↑", "↓"], "keyVolume"],
  [["M"], "keyMute"],
  [["F"], "keyFullscreen"],
  [["C"], "keyCaptions"],
  [["P"], "keyPip"],
  [["<", ">"], "keySpeed"],
  [["Shift + N"], "keyNext"],
  [["I"], "keyStats"],
  [["?"], "keyHelp"],
];

/** The list of keys, over the film. */
export function showHelp(frame: HTMLElement): void {
  const rows = KEYS.map(([keys, meaning]) => [
    element("dt", {}, ...keys.map((key) => element("kbd", {}, key))),
    element("dd", {}, text(meaning)),
  ]);
  openDialog(frame, "help", text("keysTitle"), element("dl", {}, ...rows.flat()));
}
