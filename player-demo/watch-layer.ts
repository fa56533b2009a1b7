import { element } from "./element.ts";

/** What lies over the picture beside its controls. */
export interface WatchLayer {
  root: HTMLElement;
  /** For what concerns the film as a whole: at the top. */
  notices: HTMLElement;
  /** For what one may take up or leave: above the controls, at the end of the line. */
  corner: HTMLElement;
  /** Says it to those who listen to the page. */
  say(message: string): void;
}

export function watchLayer(): WatchLayer {
  const notices = element("div", { class: "notices" });
  const corner = element("div", { class: "corner" });
  const said = element("p", { class: "unseen", role: "status" });
  // `noautohide`: it does not go with the controls.
  const root = element("div", { class: "layer", noautohide: true }, notices, corner, said);
  const say = (message: string) => {
    said.textContent = message;
  };
  return { root, notices, corner, say };
}

/** A card in the corner. Answers how to take it away, also by Escape while the focus is in it. */
export function showCard(
  layer: WatchLayer,
  name: string,
  onDismissed: () => void,
  ...content: HTMLElement[]
) {
  const card = element("section", { class: `watch-card ${name}` }, ...content);
  const remove = () => {
    // The focus would fall to the page, where the player's keys are not heard.
    const hadFocus = card.contains(document.activeElement);
    card.remove();
    if (hadFocus) layer.root.closest<HTMLElement>(".player")?.focus();
  };
  card.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    remove();
    onDismissed();
  });
  layer.corner.append(card);
  return remove;
}

export function cardButton(label: string, isPrimary: boolean, run: () => void): HTMLElement {
  const name = isPrimary ? "primary" : "secondary";
  return element("button", { type: "button", class: name, onclick: run }, label);
}
