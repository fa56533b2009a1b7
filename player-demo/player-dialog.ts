import { element } from "./element.ts";
import { text } from "./strings.ts";

/**
 * A dialog over the film, until it is closed (Escape, the button, or beside it); the film then has the focus again.
 * `name` is its class, and one of a name is there at a time. Returns how to close it.
 */
export function openDialog(
  frame: HTMLElement,
  name: string,
  heading: string,
  ...content: HTMLElement[]
): () => void {
  const shown = frame.querySelector<HTMLDialogElement>(`dialog.${name}[open]`);
  if (shown !== null) return () => shown.close();
  const close = element("button", { type: "button", class: "close", "aria-label": text("close") }, "×");
  const dialog = element(
    "dialog",
    { class: `over-film ${name}`, "aria-labelledby": `${name}-title`, noautohide: true },
    close,
    element("h2", { id: `${name}-title` }, heading),
    ...content,
  );
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  // The film's own keys do nothing while the dialog is read.
  for (const type of ["keydown", "keyup"]) dialog.addEventListener(type, (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    dialog.remove();
    frame.focus();
  });
  // Within the player: in full screen nothing else is shown.
  frame.append(dialog);
  dialog.showModal();
  return () => dialog.close();
}
