import type { Asset } from "../answers.ts";
import type { Api } from "../api-client.ts";
import type { EncodingWish } from "../encoding-wish.ts";
import { type AssetCard, assetCard, type Entry } from "./asset-card.ts";
import { type AssetDrawer, openDrawer } from "./asset-drawer.ts";
import { AssetStore } from "./asset-store.ts";
import { BrowserUpload } from "./browser-upload.ts";
import { assetInAddress, goToAsset, goToDesk } from "./drawer-place.ts";
import { dropZone } from "./drop-zone.ts";
import { element } from "./element.ts";
import { button } from "./form-parts.ts";
import { tellProblem } from "./problem-text.ts";
import { text } from "./strings.ts";

/** The desk: films come in at the top, and each one's card shows where it is. Rejects where nothing can be read. */
export async function showDesk(root: HTMLElement, api: Api): Promise<void> {
  const desk = new Desk(api);
  addEventListener("beforeunload", (event) => {
    if (desk.isSending) event.preventDefault();
  });
  const heading = element("h2", { id: "films" }, text("films"));
  addEventListener("popstate", () => void desk.followAddress());
  root.replaceChildren(
    dropZone((files, encoding) => desk.send(files, encoding)),
    element("section", { "aria-labelledby": "films" }, heading, desk.note, desk.list, desk.more),
  );
  await desk.start();
}

class Desk {
  readonly list = element("ul", { class: "cards" });
  /** What is said where there is no card. */
  readonly note = element("p", { class: "note" }, text("loading"));
  readonly more = button("more", "secondary", () => this.#loadMore());
  readonly #api: Api;
  readonly #store: AssetStore;
  readonly #uploads: BrowserUpload[] = [];
  readonly #cards = new Map<string, AssetCard>();
  #drawer: AssetDrawer | null = null;

  constructor(api: Api) {
    this.#api = api;
    this.#store = new AssetStore(api, () => this.#draw());
    this.more.hidden = true;
  }

  async start(): Promise<void> {
    await this.#store.refresh();
    this.note.textContent = text("empty");
    await this.followAddress();
  }

  /** Shows what the address names: an asset, or none. */
  async followAddress(): Promise<void> {
    const assetId = assetInAddress();
    if (assetId === (this.#drawer?.assetId ?? null)) return;
    this.#drawer?.close();
    this.#drawer = null;
    if (assetId === null) return;
    // A link may lead to one that is not listed yet.
    if (this.#store.find(assetId) === undefined)
      await this.#api.call<Asset>("GET", `/v1/assets/${encodeURIComponent(assetId)}`).then(
        (asset) => this.#store.put(asset),
        () => undefined,
      );
    if (assetId === assetInAddress() && this.#drawer === null) this.#open(assetId);
  }

  send(files: readonly File[], encoding: EncodingWish): void {
    for (const file of files) {
      const upload = new BrowserUpload(this.#api, file, encoding, () => this.#draw());
      this.#uploads.unshift(upload);
      void upload.run().then(() => this.#store.refresh().catch(() => undefined));
    }
    this.#draw();
  }

  /** Leaving the page would stop it. */
  get isSending(): boolean {
    return this.#uploads.some(({ phase }) => phase === "sending" || phase === "completing");
  }

  #draw(): void {
    const entries = entriesOf(this.#store, this.#uploads);
    for (const [key, entry] of entries) {
      const card = this.#cards.get(key);
      if (card === undefined)
        this.#cards.set(
          key,
          assetCard(entry, (assetId) => {
            goToAsset(assetId);
            this.#open(assetId);
          }),
        );
      else card.update(entry);
    }
    for (const key of this.#cards.keys()) if (!entries.has(key)) this.#cards.delete(key);
    arrange(
      this.list,
      [...entries.keys()].map((key) => this.#cards.get(key)!.root),
    );
    this.note.hidden = entries.size > 0;
    this.more.hidden = !this.#store.hasMore;
    const shown = this.#drawer === null ? undefined : this.#store.find(this.#drawer.assetId);
    if (shown !== undefined) this.#drawer?.update(shown, uploadOf(this.#uploads, shown.id));
  }

  #open(assetId: string): void {
    const asset = this.#store.find(assetId);
    if (asset === undefined || asset.state === "deleted") {
      goToDesk();
      return;
    }
    const onClose = () => {
      // Where the address led elsewhere, it is there already.
      if (this.#drawer !== drawer) return;
      this.#drawer = null;
      goToDesk();
    };
    const onChange = (changed: Asset) => this.#store.put(changed);
    const drawer = openDrawer(this.#api, asset, { onChange, onClose });
    this.#drawer = drawer;
    drawer.update(asset, uploadOf(this.#uploads, assetId));
    if (asset.state !== "ready") this.#store.follow(assetId);
  }

  #loadMore(): void {
    this.#store.loadMore().catch((thrown) => {
      tellProblem(this.note, thrown);
    });
  }
}

/** Uploads first, then the assets; an upload whose asset is known is one card with it. */
function entriesOf(store: AssetStore, uploads: readonly BrowserUpload[]): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const upload of uploads) {
    if (upload.phase === "cancelled") continue;
    const asset = upload.assetId === null ? undefined : store.find(upload.assetId);
    if (asset?.state === "deleted") continue;
    // The card keeps its key when the asset shows up.
    entries.set(`upload ${uploads.length - uploads.indexOf(upload)}`, { asset: asset ?? null, upload });
  }
  const mine = new Set(uploads.map(({ assetId }) => assetId));
  for (const asset of store.assets) if (!mine.has(asset.id)) entries.set(asset.id, { asset, upload: null });
  return entries;
}

function uploadOf(uploads: readonly BrowserUpload[], assetId: string): BrowserUpload | null {
  return uploads.find((upload) => upload.assetId === assetId) ?? null;
}

/** Brings the children into order, moving only what is out of place: a moved element loses focus. */
function arrange(list: HTMLElement, wanted: readonly HTMLElement[]): void {
  for (const child of [...list.children]) if (!wanted.includes(child as HTMLElement)) child.remove();
  for (const [index, child] of wanted.entries()) {
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  }
}
