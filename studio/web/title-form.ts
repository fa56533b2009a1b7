import type { Asset, Title } from "../answers.ts";
import { type Api, ApiProblem } from "../api-client.ts";
import { element } from "./element.ts";
import { busyWith, button, statusNote } from "./form-parts.ts";
import { KeptTitle } from "./kept-title.ts";
import { text } from "./strings.ts";
import { nameOf, showTitleState } from "./title-choice.ts";
import { titleDetails } from "./title-details.ts";

/** Names one title of a film, publishes it, takes it down, leads to it. */
export class TitleForm {
  readonly #api: Api;
  readonly #kept: KeptTitle;
  readonly #parts = formParts();
  readonly #onTitle: (title: Title) => void;
  #asset: Asset;

  /** `titleId` null makes one. `onTitle` hears how the title is whenever that is heard here. */
  constructor(api: Api, asset: Asset, titleId: string | null, onTitle: (title: Title) => void) {
    this.#api = api;
    this.#kept = new KeptTitle(api);
    this.#asset = asset;
    this.#onTitle = onTitle;
    const { root, input, publish, unpublish } = this.#parts;
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run(() => this.#save());
    });
    publish.addEventListener("click", () => void this.#run(() => this.#move("publish")));
    unpublish.addEventListener("click", () => void this.#run(() => this.#move("unpublish")));
    input.value = asset.filename.replace(/\.[^.]+$/, "").replaceAll(/[_.]+/g, " ");
    if (titleId !== null) void this.#run(() => this.#read(titleId));
    this.#show();
  }

  get root(): HTMLElement {
    return this.#parts.root;
  }

  update(asset: Asset): void {
    this.#asset = asset;
    this.#show();
  }

  focus(): void {
    this.#parts.input.focus();
  }

  #show(): void {
    showState(this.#parts, this.#asset, this.#kept.title);
  }

  async #run(action: () => Promise<void>): Promise<void> {
    const { root, note } = this.#parts;
    if (!root.reportValidity()) return;
    await busyWith(root, note, () => action().catch((thrown) => this.#catchUp(thrown)));
    this.#show();
    if (this.#kept.title !== null) this.#onTitle(this.#kept.title);
  }

  /** Where somebody else has changed it, theirs is shown. */
  async #catchUp(thrown: unknown): Promise<void> {
    const { title } = this.#kept;
    const isOld = thrown instanceof ApiProblem && thrown.status === 412;
    if (!isOld || title === null) throw thrown;
    await this.#read(title.id).catch(() => undefined);
    this.#parts.note.textContent = text("changedMeanwhile");
  }

  async #read(id: string): Promise<void> {
    const title = await this.#kept.read(id);
    const { details, input } = this.#parts;
    details.show(title);
    input.value = nameOf(title);
  }

  async #save(): Promise<void> {
    await this.#store();
    this.#parts.note.textContent = text("saved");
  }

  async #move(verb: "publish" | "unpublish"): Promise<void> {
    const id = await this.#store();
    await this.#api.call("POST", `/v1/titles/${id}/${verb}`, { body: {} });
    await this.#read(id);
  }

  /** What the fields say; the title's id. */
  async #store(): Promise<string> {
    const { details, input } = this.#parts;
    const before = this.#kept.title;
    const name = input.value.trim();
    const title =
      before === null
        ? await this.#kept.make(this.#asset.id, name, details.changes())
        : await this.#kept.change(before, name, details.changes());
    if (title !== before) details.show(title);
    return title.id;
  }
}

type FormParts = ReturnType<typeof formParts>;

function formParts() {
  const input = element("input", { id: "title-name", name: "name", required: true, maxlength: "200" });
  const details = titleDetails();
  const state = element("span", { class: "chip", hidden: true });
  const save = element("button", { type: "submit", class: "secondary" }, text("save"));
  const publish = button("publish", "primary publish");
  const unpublish = button("unpublish", "secondary");
  // With opener: the new tab gets a copy of this one's session storage, and with it the token.
  const watch = element("a", { class: "watch", target: "_blank", rel: "opener" }, text("watch"));
  const note = statusNote();
  const later = element("p", { class: "note" }, text("publishLater"));
  const root = element(
    "form",
    { class: "title-form" },
    element("label", { for: "title-name" }, text("titleName")),
    element("div", { class: "name" }, input, state),
    details.root,
    element("div", { class: "actions" }, publish, unpublish, save, watch),
    later,
    note,
  );
  return { root, input, details, state, publish, unpublish, watch, later, note };
}

/** What can be done with a title that stands so, or not at all yet. */
function showState(parts: FormParts, asset: Asset, title: Title | null): void {
  const { state, publish, unpublish, watch, later } = parts;
  state.hidden = title === null;
  const isPublished = title?.state === "published" || title?.state === "scheduled";
  if (title !== null) {
    showTitleState(state, title);
    watch.href = `/player/#title=${encodeURIComponent(title.id)}`;
  }
  watch.hidden = !isPublished;
  unpublish.hidden = !isPublished;
  publish.hidden = isPublished;
  publish.disabled = asset.state !== "ready";
  const canComeTrue = asset.state !== "failed" && asset.state !== "cancelled";
  later.hidden = isPublished || !publish.disabled || !canComeTrue;
}
