import { element } from "./element.ts";
import { tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

/** A button that sends no form; `look` is its class. */
export function button(key: StringKey, look: string, onclick?: () => void): HTMLButtonElement {
  return element("button", { type: "button", class: look, onclick }, text(key));
}

/** A field under its label. */
export function labelled(key: StringKey, field: HTMLElement): HTMLElement {
  return element("div", {}, element("label", { for: field.id }, text(key)), field);
}

/** Where it is said how an action went, also to those who listen; until then what `key` says. */
export function statusNote(key?: StringKey): HTMLParagraphElement {
  return element("p", { class: "note", role: "status" }, key === undefined ? null : text(key));
}

/** Does what a form asks for. Until it is done nothing in `root` can be touched; what goes wrong is said in `note`. */
export async function busyWith(
  root: HTMLElement,
  note: HTMLElement,
  action: () => Promise<void>,
): Promise<void> {
  root.inert = true;
  note.textContent = "";
  try {
    await action();
  } catch (thrown) {
    tellProblem(note, thrown);
  }
  root.inert = false;
}
