import type { Asset, Poster } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { formatClock } from "../pace.ts";
import { element } from "./element.ts";
import { statusNote } from "./form-parts.ts";
import { tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";

/** The moments that were found to make good posters; a click makes one of them the film's. */
export function posterPicker(api: Api, assetId: string, onChange: (asset: Asset) => void) {
  const note = statusNote("posterText");
  const row = element("div", { class: "posters", role: "group", "aria-label": text("poster") });
  const root = element("div", {}, row, note);
  let shown = "";
  const choose = async ({ id }: Poster) => {
    try {
      onChange(await api.call<Asset>("POST", `/v1/assets/${assetId}/poster`, { body: { id } }));
      note.textContent = text("posterChosen");
    } catch (thrown) {
      tellProblem(note, thrown);
    }
  };
  const button = (poster: Poster) =>
    element(
      "button",
      {
        type: "button",
        "data-poster": poster.id,
        "aria-label": text("posterAt", { time: formatClock(poster.atSeconds) }),
        onclick: () => void choose(poster),
      },
      element("img", { src: poster.url, alt: "", decoding: "async", loading: "lazy" }),
    );
  return {
    root,
    /** Whether there is anything to choose. */
    update({ posters, generation }: Asset): boolean {
      const offered = `${generation} ${posters.map(({ id }) => id)}`;
      // Kept while they are the same, so that focus stays and nothing is loaded again.
      if (offered !== shown) row.replaceChildren(...posters.map(button));
      shown = offered;
      for (const { id, chosen } of posters)
        row.querySelector(`[data-poster="${id}"]`)?.setAttribute("aria-pressed", String(chosen));
      return posters.length > 1;
    },
  };
}
