import { type EncodingWish, USUAL_ENCODING, wishFor } from "../encoding-wish.ts";
import { element } from "./element.ts";
import { encodingForm, encodingText } from "./encoding-form.ts";
import { text } from "./strings.ts";

/** Where films are dropped or chosen; the whole window takes them. `onFiles` hears too how they are to be encoded. */
export function dropZone(onFiles: (files: File[], encoding: EncodingWish) => void): HTMLElement {
  const encoding = encodingChoice();
  const input = element("input", {
    type: "file",
    multiple: true,
    class: "unseen",
    id: "files",
    tabindex: "-1",
  });
  input.addEventListener("change", () => {
    onFiles([...(input.files ?? [])], encoding.read());
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
    encoding.root,
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
    onFiles([...(event.dataTransfer?.files ?? [])], encoding.read());
  });
  return zone;
}

/** The choice for all films that come, folded away, with what is chosen in its head. It is as usual until somebody changes it. */
function encodingChoice() {
  const form = encodingForm("new", USUAL_ENCODING);
  const facts = element("span", { class: "facts" }, encodingText(USUAL_ENCODING));
  const summary = element("summary", {}, text("encoding"), " ", facts);
  form.root.addEventListener("change", () => {
    facts.textContent = encodingText(form.read());
  });
  const note = element("p", { class: "note" }, text("encodingText"));
  return {
    root: element("details", { class: "fold" }, summary, note, form.root),
    read: () => wishFor(form.read(), USUAL_ENCODING),
  };
}
