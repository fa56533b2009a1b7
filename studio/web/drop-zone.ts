import { element } from "./element.ts";
import { text } from "./strings.ts";

/** Where films are dropped or chosen; the whole window takes them. */
export function dropZone(onFiles: (files: File[]) => void): HTMLElement {
  const input = element("input", {
    type: "file",
    multiple: true,
    class: "unseen",
    id: "files",
    tabindex: "-1",
  });
  input.addEventListener("change", () => {
    onFiles([...(input.files ?? [])]);
    input.value = "";
  });
  const choose = element(
    "button",
    { type: "button", class: "primary", onclick: () => input.click() },
    text("choose"),
  );
  const zone = element(
    "section",
    { class: "drop", "aria-label": text("dropTitle") },
    element("div", {}, element("h2", {}, text("dropTitle")), element("p", {}, text("dropText"))),
    choose,
    input,
  );
  let depth = 0;
  const hover = (change: number) => {
    depth = Math.max(0, depth + change);
    zone.classList.toggle("over", depth > 0);
  };
  addEventListener("dragenter", () => hover(1));
  addEventListener("dragleave", () => hover(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    hover(-depth);
    onFiles([...(event.dataTransfer?.files ?? [])]);
  });
  return zone;
}
