import type { Asset } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { element } from "./element.ts";
import { button, statusNote } from "./form-parts.ts";
import { tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";

/** What can be done with an asset as a whole: its work begun anew or called off, and all of it removed. */

/** Begins its work anew, or calls it off. */
export function workActions(api: Api, assetId: string, onChange: (asset: Asset) => void) {
  const note = statusNote();
  const act = async (verb: "retry" | "cancel") => {
    try {
      note.textContent = "";
      await api.call("POST", `/v1/assets/${assetId}/${verb}`);
      onChange(await api.call<Asset>("GET", `/v1/assets/${assetId}`));
    } catch (thrown) {
      tellProblem(note, thrown);
    }
  };
  const retry = button("retry", "secondary", () => void act("retry"));
  const cancel = button("cancel", "secondary", () => void act("cancel"));
  const root = element("div", { class: "actions" }, retry, cancel, note);
  return {
    root,
    update({ state }: Asset) {
      retry.hidden = state !== "failed" && state !== "cancelled";
      cancel.hidden = state !== "queued" && state !== "probing" && state !== "encoding";
      root.hidden = retry.hidden && cancel.hidden && note.textContent === "";
    },
  };
}

/** Deleting asks once more, in place. */
export function removal(api: Api, assetId: string, onRemoved: (asset: Asset) => void): HTMLElement {
  const note = statusNote();
  const ask = button("remove", "quiet danger");
  const yes = button("removeYes", "secondary danger");
  const no = button("removeNo", "secondary");
  const question = element("div", { class: "actions", hidden: true }, yes, no);
  const turn = (isAsked: boolean) => {
    ask.hidden = isAsked;
    question.hidden = !isAsked;
    note.textContent = isAsked ? text("removeSure") : "";
    (isAsked ? no : ask).focus();
  };
  ask.addEventListener("click", () => turn(true));
  no.addEventListener("click", () => turn(false));
  yes.addEventListener("click", async () => {
    yes.disabled = true;
    try {
      onRemoved(await api.call<Asset>("DELETE", `/v1/assets/${assetId}`));
    } catch (thrown) {
      tellProblem(note, thrown);
    }
    yes.disabled = false;
  });
  return element("section", { class: "removal" }, ask, note, question);
}
