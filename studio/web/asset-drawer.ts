import type { Asset } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { removal, workActions } from "./asset-actions.ts";
import { chip } from "./asset-card.ts";
import { factsPart, ledgerSection, problemPart } from "./asset-facts.ts";
import { AssetTitles } from "./asset-titles.ts";
import type { BrowserUpload } from "./browser-upload.ts";
import { type DrawerPart, framed } from "./drawer-section.ts";
import { element } from "./element.ts";
import { generationList } from "./generation-list.ts";
import { makeAgain } from "./make-again.ts";
import { posterPicker } from "./poster-picker.ts";
import { previewPlayer } from "./preview-player.ts";
import { seekPreview } from "./preview-seek.ts";
import { stepper } from "./stepper.ts";
import { text } from "./strings.ts";
import { subtitleForm } from "./subtitle-form.ts";
import { viewing } from "./viewing.ts";

export interface AssetDrawer {
  readonly assetId: string;
  update(asset: Asset, upload: BrowserUpload | null): void;
  close(): void;
}

/** Opens one asset at the side: its way, its title, a preview, and everything known of it. */
export function openDrawer(
  api: Api,
  first: Asset,
  handlers: { onChange(asset: Asset): void; onClose(): void },
): AssetDrawer {
  let latest = first;
  let latestUpload: BrowserUpload | null = null;
  const { onChange } = handlers;
  const preview = previewPlayer(api, first.id);
  const titles = new AssetTitles(api, first, () => show());
  const state = chip();
  const parts = partsOf(api, first, onChange, preview.root, titles);
  const show = () => {
    state.update(latest.state);
    for (const part of parts) part.update(latest, latestUpload);
  };
  const remove = removal(api, first.id, (asset) => {
    onChange(asset);
    dialog.close();
  });
  const dialog = element(
    "dialog",
    { class: "drawer", "aria-labelledby": "asset-name" },
    header(first.filename, state.root, () => dialog.close()),
    ...parts.map(({ root }) => root),
    ledgerSection(api, first.id),
    remove,
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    preview.stop();
    dialog.remove();
    handlers.onClose();
  });
  document.body.append(dialog);
  dialog.showModal();
  return {
    assetId: first.id,
    update(asset, upload) {
      latest = asset;
      latestUpload = upload;
      show();
    },
    close: () => dialog.close(),
  };
}

function header(filename: string, state: HTMLElement, onClose: () => void): HTMLElement {
  const heading = element("h2", { id: "asset-name" }, filename);
  const attributes = { type: "button", class: "close", "aria-label": text("close"), onclick: onClose };
  return element("header", {}, heading, state, element("button", attributes, "×"));
}

/** What is kept up to date, from top to bottom. */
function partsOf(
  api: Api,
  asset: Asset,
  onChange: (asset: Asset) => void,
  preview: HTMLElement,
  titles: AssetTitles,
): DrawerPart[] {
  const assetId = asset.id;
  const figures = viewing(api);
  return [
    stepper(),
    problemPart(),
    workActions(api, assetId, onChange),
    framed("title", { root: titles.root, update: (now) => titles.update(now) }),
    framed("preview", { root: preview, update: ({ progress }) => progress.playable }),
    framed("poster", posterPicker(api, assetId, onChange)),
    framed("subtitles", subtitleForm(api, assetId, onChange)),
    framed("viewing", { root: figures.root, update: () => figures.update(titles.chosenId) }),
    framed("generations", generationList(api, assetId, onChange)),
    makeAgain(api, asset, onChange),
    factsPart(api, { onChange, onSeek: (seconds) => seekPreview(preview, seconds) }),
  ];
}
