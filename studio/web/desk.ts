import type { Api } from "../api-client.ts";
import { type AssetCard, assetCard, type Entry } from "./asset-card.ts";
import { type AssetDrawer, openDrawer } from "./asset-drawer.ts";
import { AssetStore } from "./asset-store.ts";
import { BrowserUpload } from "./browser-upload.ts";
import { dropZone } from "./drop-zone.ts";
import { element } from "./element.ts";
import { problemText } from "./problem-text.ts";
import { text } from "./strings.ts";

/** The desk: films come in at the top, and each one's card shows where it is. Rejects where nothing can be read. */
export async function showDesk(root: HTMLElement, api: Api): Promise<void> {
  const uploads: BrowserUpload[] = [];
  const cards = new Map<string, AssetCard>();
  let drawer: AssetDrawer | null = null;
  const list = element("ul", { class: "cards" });
  const empty = element("p", { class: "note" }, text("loading"));
  const more = element("button", { type: "button", class: "secondary", hidden: true }, text("more"));

  const draw = () => {
    const entries = entriesOf(store, uploads);
    for (const [key, entry] of entries) {
      const card = cards.get(key);
      if (card === undefined) cards.set(key, assetCard(entry, open));
      else card.update(entry);
    }
    for (const key of cards.keys()) if (!entries.has(key)) cards.delete(key);
    arrange(
      list,
      [...entries.keys()].map((key) => cards.get(key)!.root),
    );
    empty.hidden = entries.size > 0;
    more.hidden = !store.hasMore;
    const shown = drawer === null ? undefined : store.find(drawer.assetId);
    if (shown !== undefined) drawer?.update(shown, uploadOf(uploads, shown.id));
  };
  const store = new AssetStore(api, draw);
  const open = (assetId: string) => {
    const asset = store.find(assetId);
    if (asset === undefined) return;
    const onClose = () => {
      drawer = null;
    };
    drawer = openDrawer(api, asset, { onChange: (changed) => store.put(changed), onClose });
    drawer.update(asset, uploadOf(uploads, assetId));
    if (asset.state !== "ready") store.follow(assetId);
  };
  const send = (files: File[]) => {
    for (const file of files) {
      const upload = new BrowserUpload(api, file, draw);
      uploads.unshift(upload);
      void upload.run().then(() => store.refresh().catch(() => undefined));
    }
    draw();
  };
  more.addEventListener(
    "click",
    () => void store.loadMore().catch((thrown) => (empty.textContent = problemText(thrown))),
  );
  addEventListener("beforeunload", (event) => {
    if (uploads.some(({ phase }) => phase === "sending" || phase === "completing")) event.preventDefault();
  });
  root.replaceChildren(
    dropZone(send),
    element(
      "section",
      { "aria-labelledby": "films" },
      element("h2", { id: "films" }, text("films")),
      empty,
      list,
      more,
    ),
  );
  await store.refresh();
  empty.textContent = text("empty");
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
