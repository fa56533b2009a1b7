/** Where the studio is, as the address says: at the desk, or at one asset beside it (`#asset=…`). Back and links follow. */

/** Of an entry of the history that lies right behind the desk's own. */
interface Kept {
  isAboveDesk?: boolean;
}

/** The asset that the address names; null at the desk. */
export function assetInAddress(): string | null {
  return new URLSearchParams(location.hash.replace(/^#/, "")).get("asset");
}

/** One step on in the history. */
export function goToAsset(assetId: string): void {
  const kept: Kept = { isAboveDesk: true };
  history.pushState(kept, "", `#${new URLSearchParams({ asset: assetId })}`);
}

/** Back where the desk was before, else in place: a link led straight here. */
export function goToDesk(): void {
  if (assetInAddress() === null) return;
  if ((history.state as Kept | null)?.isAboveDesk === true) history.back();
  else history.replaceState(null, "", location.pathname + location.search);
}
