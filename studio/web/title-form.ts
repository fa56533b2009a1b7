import type { Asset, Title } from "../answers.ts";
import { type Api, ApiProblem } from "../api-client.ts";
import { element } from "./element.ts";
import { problemText } from "./problem-text.ts";
import { pageLanguage, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";
import { titleDetails } from "./title-details.ts";

/** Names the film, publishes it, takes it down, leads to it. */
export function titleForm(api: Api, first: Asset, onTitle: (titleId: string) => void) {
  let asset = first;
  let title: Title | null = null;
  let etag: string | null = null;
  const input = element("input", { id: "title-name", name: "name", required: true, maxlength: "200" });
  const details = titleDetails();
  const label = element("label", { for: "title-name" }, text("titleName"));
  const state = element("span", { class: "chip", hidden: true });
  const save = element("button", { type: "submit", class: "secondary" }, text("save"));
  const publish = element("button", { type: "button", class: "primary publish" }, text("publish"));
  const unpublish = element("button", { type: "button", class: "secondary" }, text("unpublish"));
  // With opener: the new tab gets a copy of this one's session storage, and with it the token.
  const watch = element("a", { class: "watch", target: "_blank", rel: "opener" }, text("watch"));
  const note = element("p", { class: "note", role: "status" });
  const later = element("p", { class: "note" }, text("publishLater"));
  const actions = element("div", { class: "actions" }, publish, unpublish, save, watch);
  const root = element(
    "form",
    { class: "title-form" },
    label,
    element("div", { class: "name" }, input, state),
    details.root,
    actions,
    later,
    note,
  );

  const show = () => {
    state.hidden = title === null;
    const isPublished = title?.state === "published" || title?.state === "scheduled";
    if (title !== null) {
      state.textContent = text(`title_${title.state}` as StringKey);
      state.dataset.state = isPublished ? "ready" : "waiting";
      watch.href = `/player/#title=${encodeURIComponent(title.id)}`;
    }
    watch.hidden = !isPublished;
    unpublish.hidden = !isPublished;
    publish.hidden = isPublished;
    publish.disabled = asset.state !== "ready";
    const canComeTrue = asset.state !== "failed" && asset.state !== "cancelled";
    later.hidden = isPublished || !publish.disabled || !canComeTrue;
  };
  const read = async (id: string) => {
    const answer = await api.callWithEtag<Title>("GET", `/v1/titles/${id}`);
    title = answer.body;
    etag = answer.etag;
    details.show(title);
    input.value = title.name[pageLanguage] ?? title.name.en ?? Object.values(title.name)[0] ?? "";
  };
  const store = async (): Promise<string> => {
    const name = input.value.trim();
    if (title === null) {
      const about = { type: "movie", name: { [pageLanguage]: name }, assetId: asset.id };
      const body = { ...about, ...details.changes() };
      const idempotencyKey = crypto.randomUUID();
      const made = await api.callWithEtag<Title>("POST", "/v1/titles", { body, idempotencyKey });
      title = made.body;
      etag = made.etag;
      onTitle(title.id);
    } else {
      const renamed =
        title.name[pageLanguage] === name ? {} : { name: { ...title.name, [pageLanguage]: name } };
      const body = { ...renamed, ...details.changes() };
      if (Object.keys(body).length === 0) return title.id;
      const path = `/v1/titles/${title.id}`;
      const changed = await api.callWithEtag<Title>("PATCH", path, { body, ifMatch: etag ?? "*" });
      title = changed.body;
      etag = changed.etag;
    }
    details.show(title);
    return title.id;
  };
  const run = async (action: () => Promise<void>) => {
    if (!root.reportValidity()) return;
    root.inert = true;
    try {
      note.textContent = "";
      await action();
    } catch (thrown) {
      note.textContent = problemText(thrown);
      if (thrown instanceof ApiProblem && thrown.status === 412 && title !== null) {
        await read(title.id).catch(() => undefined);
        note.textContent = text("changedMeanwhile");
      }
    }
    root.inert = false;
    show();
  };
  const move = (verb: "publish" | "unpublish") => async () => {
    const id = await store();
    await api.call("POST", `/v1/titles/${id}/${verb}`, { body: {} });
    await read(id);
  };
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(async () => {
      await store();
      note.textContent = text("saved");
    });
  });
  publish.addEventListener("click", () => void run(move("publish")));
  unpublish.addEventListener("click", () => void run(move("unpublish")));
  input.value = asset.filename.replace(/\.[^.]+$/, "").replaceAll(/[_.]+/g, " ");
  const { titleId } = asset;
  if (titleId !== undefined) void run(() => read(titleId));
  show();
  return {
    root,
    update(next: Asset) {
      asset = next;
      show();
    },
  };
}
