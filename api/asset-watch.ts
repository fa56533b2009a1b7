import { findAsset } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import type { Log } from "../stores/log.ts";
import type { AssetView } from "./asset-view.ts";
import type { ApiConfig } from "./config.ts";
import { presentNow } from "./present-now.ts";

/** How often a watched asset is looked at, once for all who watch it here. */
const POLL_MS = 500;

/** What a watcher is told: `id` changes whenever anything visible does, and never comes again. */
export interface AssetChange {
  id: string;
  asset: AssetView;
}

export interface AssetWatch {
  /** Calls `onChange` now and at each change, in order, until the returned function is called. */
  watch(tenant: string, assetId: string, onChange: (change: AssetChange) => void): () => void;
  /** Aborted when the process stops: whoever streams ends then. */
  readonly stopped: AbortSignal;
  close(): void;
}

interface Watched {
  listeners: Set<(change: AssetChange) => void>;
  latest: AssetChange | null;
  timer: NodeJS.Timeout | null;
}

/** Watches assets by looking (no change streams: the stand-in for one machine has none that last). */
export function openAssetWatch(library: Library, config: ApiConfig, log: Log): AssetWatch {
  const watched = new Map<string, Watched>();
  const stop = new AbortController();
  const look = async (key: string, entry: Watched, tenant: string, assetId: string): Promise<void> => {
    try {
      const change = await readChange(library, config, tenant, assetId);
      if (change !== null && change.id !== entry.latest?.id) {
        entry.latest = change;
        for (const listener of entry.listeners) listener(change);
      }
    } catch (thrown) {
      log.warn({ assetId, err: thrown }, "watched asset not read");
    }
    if (entry.listeners.size === 0 || stop.signal.aborted) watched.delete(key);
    else entry.timer = setTimeout(() => void look(key, entry, tenant, assetId), POLL_MS);
  };
  return {
    watch(tenant, assetId, onChange) {
      const key = `${tenant}/${assetId}`;
      const known = watched.get(key);
      const entry = known ?? { listeners: new Set(), latest: null, timer: null };
      entry.listeners.add(onChange);
      if (known === undefined) {
        watched.set(key, entry);
        void look(key, entry, tenant, assetId);
      } else if (entry.latest !== null) onChange(entry.latest);
      return () => entry.listeners.delete(onChange);
    },
    stopped: stop.signal,
    close() {
      stop.abort();
      for (const { timer } of watched.values()) if (timer !== null) clearTimeout(timer);
      watched.clear();
    },
  };
}

async function readChange(
  library: Library,
  config: ApiConfig,
  tenant: string,
  assetId: string,
): Promise<AssetChange | null> {
  const asset = await findAsset(library, tenant, assetId);
  if (asset === null) return null;
  const shown = await presentNow({ library, config }, asset);
  const { ratio, stage } = shown.progress;
  return { id: `${asset.version}-${Math.round(ratio * 1000)}-${stage}`, asset: shown };
}
