import { element } from "./element.ts";
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

/** The list of keys, over the film, until it is closed (Escape, the button, or beside it). */
export function showHelp(frame: HTMLElement): void {
  if (frame.querySelector("dialog.help") !== null) return;
  const rows = KEYS.map(([keys, meaning]) => [
    element("dt", {}, ...keys.map((key) => element("kbd", {}, key))),
    element("dd", {}, text(meaning)),
  ]);
  const close = element("button", { type: "button", class: "close", "aria-label": text("close") }, "×");
  const dialog = element(
    "dialog",
    { class: "help", "aria-labelledby": "help-title", noautohide: true },
    close,
    element("h2", { id: "help-title" }, text("keysTitle")),
    element("dl", {}, ...rows.flat()),
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // The film's own keys do nothing while the list is read.
  for (const type of ["keydown", "keyup"]) dialog.addEventListener(type, (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    dialog.remove();
    frame.focus();
  });
  // Within the player: in full screen nothing else is shown.
  frame.append(dialog);
  dialog.showModal();
}
