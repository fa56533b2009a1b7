import type { AssetRecord } from "../core/records/asset.ts";
import { type Progress, progressUnread, readProgress } from "../stores/library/progress.ts";
import { type AssetView, presentAsset } from "./asset-view.ts";
import type { ApiDeps } from "./deps.ts";
import { presentPosters } from "./granted-url.ts";

type Deps = Pick<ApiDeps, "library" | "config">;

/** The asset as an answer shows it, with how far it is. */
export async function presentNow(deps: Deps, asset: AssetRecord): Promise<AssetView> {
  const [view] = await presentAllNow(deps, [asset]);
  return view!;
}

/** As `presentNow`, for a page of them. */
export async function presentAllNow({ library, config }: Deps, assets: AssetRecord[]): Promise<AssetView[]> {
  const progress = await readProgress(library, assets);
  const now = library.serverNow();
  return assets.map((asset) =>
    presentAsset(asset, progressOf(asset, progress), presentPosters(config, asset, now)),
  );
}

function progressOf(asset: AssetRecord, progress: Map<string, Progress>): Progress {
  return progress.get(asset._id) ?? progressUnread(asset);
}
