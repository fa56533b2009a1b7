import type { AddedTrack, Asset } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { addSubtitle, SUBTITLE_ENDINGS, type SubtitleRole, type SubtitleWish } from "../subtitle-track.ts";
import { element } from "./element.ts";
import { languageName } from "./facts.ts";
import { busyWith, button, labelled, statusNote } from "./form-parts.ts";
import { pageLanguage, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

const ROLES: readonly SubtitleRole[] = ["main", "sdh", "forced", "commentary"];

/** Adds subtitle files to a film, by choosing or dropping, and takes them out again. */
export function subtitleForm(api: Api, assetId: string, onChange: (asset: Asset) => void) {
  const fields = subtitleFields();
  const note = statusNote();
  const list = element("ul", { class: "tracks" });
  const root = element("div", {}, list, fields.root, note);
  const run = (work: () => Promise<Asset>) => busyWith(root, note, async () => onChange(await work()));
  fields.root.addEventListener("submit", (event) => {
    event.preventDefault();
    const wish = fields.read();
    if (wish === null) return;
    void run(async () => {
      const asset = await addSubtitle(api, assetId, wish);
      fields.root.reset();
      note.textContent = text("subtitleAdded");
      return asset;
    });
  });
  const remove = (id: string) =>
    run(() => api.call<Asset>("DELETE", `/v1/assets/${assetId}/tracks/${encodeURIComponent(id)}`));
  return {
    root,
    update({ tracks }: Asset) {
      const own = tracks.filter(({ kind }) => kind === "subtitle");
      list.replaceChildren(...own.map((track) => trackEntry(track, () => void remove(track.id))));
    },
  };
}

/** The form in which a file is chosen, and what it is. */
function subtitleFields() {
  const accept = SUBTITLE_ENDINGS.join(",");
  const file = element("input", { id: "subtitle-file", type: "file", required: true, accept });
  const language = element("input", {
    ...{ id: "subtitle-language", required: true, maxlength: "35", value: pageLanguage },
    // RFC 5646 2.1, as far as tracks need it: de, pt-BR, zh-Hant-TW.
    pattern: "[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*",
  });
  const label = element("input", { id: "subtitle-label", maxlength: "100" });
  const options = ROLES.map((one) => element("option", { value: one }, text(`subtitle_${one}` as StringKey)));
  const role = element("select", { id: "subtitle-role" }, ...options);
  const add = element("button", { type: "submit", class: "secondary" }, text("addSubtitle"));
  const root = element(
    "form",
    { class: "subtitle-form" },
    labelled("subtitleFile", file),
    element("div", { class: "pair" }, labelled("subtitleLanguage", language), labelled("subtitleRole", role)),
    labelled("subtitleLabel", label),
    element("div", { class: "actions" }, add),
  );
  takeDropped(root, file);
  return {
    root,
    /** null where no file is chosen. */
    read(): SubtitleWish | null {
      const [chosen] = file.files ?? [];
      if (chosen === undefined) return null;
      return {
        language: language.value.trim(),
        label: label.value.trim() || null,
        role: role.value as SubtitleRole,
        filename: chosen.name,
        file: chosen,
      };
    },
  };
}

/** Here a dropped file is text, not a film. */
function takeDropped(form: HTMLElement, file: HTMLInputElement): void {
  form.addEventListener("drop", (event) => {
    const { files } = event.dataTransfer ?? {};
    if (files === undefined || files.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    file.files = files;
  });
}

function trackEntry(track: AddedTrack, onRemove: () => void): HTMLElement {
  const name = element("span", {}, trackName(track));
  return element("li", {}, name, button("removeTrack", "quiet danger", onRemove));
}

function trackName({ label, language, role }: Pick<AddedTrack, "label" | "language" | "role">): string {
  const purpose = role === "main" ? "" : text(`subtitle_${role}` as StringKey);
  return [label ?? languageName(language), purpose].filter(Boolean).join(", ");
}
