import type { Asset } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { type EncodingSettings, usualWhenAgain, wishFor } from "../encoding-wish.ts";
import type { DrawerPart } from "./drawer-section.ts";
import { element } from "./element.ts";
import { type EncodingForm, encodingForm, encodingText } from "./encoding-form.ts";
import { busyWith, statusNote } from "./form-parts.ts";
import { text } from "./strings.ts";

/** Has a film made again from the master that is there, with other settings. Viewers notice nothing until that is done. */
export function makeAgain(api: Api, first: Asset, onChange: (asset: Asset) => void): DrawerPart {
  let latest = first;
  let fields: EncodingForm | null = null;
  const facts = element("span", { class: "facts" });
  const summary = element("summary", {}, text("makeAgain"), " ", facts);
  const place = element("div");
  const submit = element("button", { type: "submit", class: "secondary" }, text("makeAgainNow"));
  const explanation = element("p", { class: "note" }, text("makeAgainText"));
  const form = element("form", {}, explanation, place, element("div", { class: "actions" }, submit));
  const details = element("details", { class: "fold" }, summary, form);
  const note = statusNote();
  const root = element("section", {}, details, note);
  details.addEventListener("toggle", () => {
    if (!details.open) return;
    // As the film is now; what comes in of it later leaves alone what is being chosen.
    fields = encodingForm("again", settingsOf(latest));
    place.replaceChildren(fields.root);
    note.textContent = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (fields === null) return;
    const encoding = wishFor(fields.read(), usualOf(latest));
    void busyWith(root, note, async () => {
      onChange(await api.call<Asset>("POST", `/v1/assets/${first.id}/reprocess`, { body: { encoding } }));
      details.open = false;
      note.textContent = text("makeAgainBegun");
    }).then(() => (details.open ? submit : summary).focus());
  });
  return {
    root,
    update(asset) {
      latest = asset;
      facts.textContent = encodingText(settingsOf(asset));
      root.hidden = asset.state === "waiting";
    },
  };
}

function usualOf({ encoding, published }: Asset): EncodingSettings {
  return usualWhenAgain(encoding, published !== null);
}

/** What the film has, and what would become of it unasked. */
function settingsOf(asset: Asset): EncodingSettings {
  return { ...usualOf(asset), ...asset.encoding };
}
