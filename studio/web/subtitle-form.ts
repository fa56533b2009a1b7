import type { AddedTrack, Asset } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { addSubtitle, SUBTITLE_ENDINGS, type SubtitleRole } from "../subtitle-track.ts";
import { element } from "./element.ts";
import { languageName } from "./facts.ts";
import { problemText } from "./problem-text.ts";
import { pageLanguage, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

const ROLES: readonly SubtitleRole[] = ["main", "sdh", "forced", "commentary"];

/** Adds subtitle files to a film, by choosing or dropping, and takes them out again. */
export function subtitleForm(api: Api, assetId: string, onChange: (asset: Asset) => void) {
  const file = element("input", {
    id: "subtitle-file",
    type: "file",
    required: true,
    accept: SUBTITLE_ENDINGS.join(","),
  });
  const language = element("input", {
    ...{ id: "subtitle-language", required: true, maxlength: "35", value: pageLanguage },
    // RFC 5646 2.1, as far as tracks need it: de, pt-BR, zh-Hant-TW.
    pattern: "[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*",
  });
  const label = element("input", { id: "subtitle-label", maxlength: "100" });
  const role = element(
    "select",
    { id: "subtitle-role" },
    ...ROLES.map((one) => element("option", { value: one }, text(`subtitle_${one}` as StringKey))),
  );
  const labelled = (key: StringKey, field: HTMLElement) =>
    element("div", {}, element("label", { for: field.id }, text(key)), field);
  const note = element("p", { class: "note", role: "status" });
  const list = element("ul", { class: "tracks" });
  const form = element(
    "form",
    { class: "subtitle-form" },
    labelled("subtitleFile", file),
    element("div", { class: "pair" }, labelled("subtitleLanguage", language), labelled("subtitleRole", role)),
    labelled("subtitleLabel", label),
    element(
      "div",
      { class: "actions" },
      element("button", { type: "submit", class: "secondary" }, text("addSubtitle")),
    ),
  );
  const root = element("div", {}, list, form, note);
  const run = async (work: () => Promise<Asset>) => {
    root.inert = true;
    note.textContent = "";
    try {
      onChange(await work());
    } catch (thrown) {
      note.textContent = problemText(thrown);
    }
    root.inert = false;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [chosen] = file.files ?? [];
    if (chosen === undefined) return;
    void run(async () => {
      const asset = await addSubtitle(api, assetId, {
        language: language.value.trim(),
        label: label.value.trim() || null,
        role: role.value as SubtitleRole,
        filename: chosen.name,
        file: chosen,
      });
      form.reset();
      note.textContent = text("subtitleAdded");
      return asset;
    });
  });
  // Here a dropped file is text, not a film.
  form.addEventListener("drop", (event) => {
    const { files } = (event as DragEvent).dataTransfer ?? {};
    if (files === undefined || files.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    file.files = files;
  });
  const remove = (id: string) =>
    run(() => api.call<Asset>("DELETE", `/v1/assets/${assetId}/tracks/${encodeURIComponent(id)}`));
  const entry = ({ id, ...track }: AddedTrack) =>
    element(
      "li",
      {},
      element("span", {}, trackName(track)),
      element(
        "button",
        { type: "button", class: "quiet danger", onclick: () => void remove(id) },
        text("removeTrack"),
      ),
    );
  return {
    root,
    update({ tracks }: Asset) {
      list.replaceChildren(...tracks.filter(({ kind }) => kind === "subtitle").map(entry));
    },
  };
}

function trackName({ label, language, role }: Pick<AddedTrack, "label" | "language" | "role">): string {
  const purpose = role === "main" ? "" : text(`subtitle_${role}` as StringKey);
  return [label ?? languageName(language), purpose].filter(Boolean).join(", ");
}
