import type { Asset } from "../answers.ts";
import type { BrowserUpload } from "./browser-upload.ts";
import { element } from "./element.ts";
import { text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

/** A part of what is shown of an asset, brought up to date with it. */
export interface DrawerPart {
  root: HTMLElement;
  update(asset: Asset, upload: BrowserUpload | null): void;
}

/** Under a heading of its own. */
export function section(key: StringKey, ...content: HTMLElement[]): HTMLElement {
  return element("section", {}, element("h3", {}, text(key)), ...content);
}

/** The same, hidden while `update` answers false: there is nothing in it then. */
export function framed(
  key: StringKey,
  { root, update }: { root: HTMLElement; update(asset: Asset): unknown },
): DrawerPart {
  const frame = section(key, root);
  return {
    root: frame,
    update(asset) {
      frame.hidden = update(asset) === false;
    },
  };
}
