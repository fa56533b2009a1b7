import type { Asset, Title } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { everyEntry } from "../every-entry.ts";
import { element } from "./element.ts";
import { button, statusNote } from "./form-parts.ts";
import { tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";
import { type TitleChoice, titleChoice } from "./title-choice.ts";
import { TitleForm } from "./title-form.ts";

/** A title that is yet to be made. */
const NEW = "";

/**
 * The titles that show an asset, and the form of the one that is chosen. Each keeps its form, and with it what was typed, while
 * another one is looked at.
 */
export class AssetTitles {
  readonly root: HTMLElement;
  readonly #api: Api;
  readonly #onChosen: () => void;
  readonly #forms = new Map<string, TitleForm>();
  readonly #choices = new Map<string, TitleChoice>();
  readonly #legend = element("legend", {}, text("titlesOfIt"));
  readonly #list = element("fieldset", { class: "titles", hidden: true }, this.#legend);
  readonly #place = element("div");
  readonly #another = button("anotherTitle", "secondary", () => this.#begin());
  readonly #note = statusNote("loading");
  #asset: Asset;
  #chosen: string | null = null;

  /** `onChosen` hears whenever it is another one that is looked at. */
  constructor(api: Api, asset: Asset, onChosen: () => void) {
    this.#api = api;
    this.#asset = asset;
    this.#onChosen = onChosen;
    this.#another.hidden = true;
    const another = element("div", { class: "actions" }, this.#another);
    this.root = element("div", {}, this.#list, this.#note, this.#place, another);
    void this.#read();
  }

  /** Which title is looked at; null while there is none. */
  get chosenId(): string | null {
    return this.#chosen === NEW ? null : this.#chosen;
  }

  update(asset: Asset): void {
    this.#asset = asset;
    for (const form of this.#forms.values()) form.update(asset);
  }

  /** Reads which there are. Where that fails, the one that the asset names is there all the same. */
  async #read(): Promise<void> {
    const { id, titleId } = this.#asset;
    let titles: Title[] = [];
    try {
      titles = await everyEntry<Title>(this.#api, `/v1/titles?assetId=${encodeURIComponent(id)}`);
      this.#note.textContent = "";
    } catch (thrown) {
      tellProblem(this.#note, thrown);
    }
    for (const title of titles.toReversed()) this.#put(title);
    const named = titles.find((title) => title.id === titleId) ?? titles[0];
    this.#choose(named?.id ?? titleId ?? NEW);
  }

  #put(title: Title): void {
    const known = this.#choices.get(title.id) ?? this.#offer(title.id);
    known.update(title);
  }

  /** The newest on top. */
  #offer(id: string): TitleChoice {
    const choice = titleChoice(id, () => this.#choose(id));
    this.#choices.set(id, choice);
    this.#legend.after(choice.root);
    return choice;
  }

  #choose(id: string): void {
    this.#chosen = id;
    const form = this.#forms.get(id) ?? this.#open(id);
    this.#place.replaceChildren(form.root);
    this.#show();
    this.#onChosen();
  }

  #open(id: string): TitleForm {
    let key = id;
    const form = new TitleForm(this.#api, this.#asset, id === NEW ? null : id, (title) => {
      this.#put(title);
      if (key === NEW) this.#rename(title.id);
      key = title.id;
      this.#show();
    });
    this.#forms.set(id, form);
    return form;
  }

  /** What was new has a name: its form stays what is looked at, if it was. */
  #rename(id: string): void {
    const form = this.#forms.get(NEW);
    if (form !== undefined) this.#forms.set(id, form);
    this.#forms.delete(NEW);
    this.#choices.get(NEW)?.root.remove();
    this.#choices.delete(NEW);
    if (this.#chosen !== NEW) return;
    this.#chosen = id;
    this.#onChosen();
  }

  #begin(): void {
    if (!this.#choices.has(NEW)) this.#offer(NEW);
    this.#choose(NEW);
    this.#forms.get(NEW)?.focus();
  }

  #show(): void {
    for (const [id, choice] of this.#choices) choice.mark(id === this.#chosen);
    this.#list.hidden = this.#choices.size < 2;
    this.#another.hidden = this.#choices.size === 0 || this.#choices.has(NEW);
  }
}
