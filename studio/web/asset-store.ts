import type { Asset, Page } from "../answers.ts";
import { type Api, ApiProblem } from "../api-client.ts";
import { isFinal, watchAsset } from "../watch-asset.ts";

/** A browser keeps six connections to a host: some must be left for everything else. */
const MOST_STREAMS = 3;
const REFRESH_MS = 4_000;
const PAGE_SIZE = 50;

/** The assets as last heard of: the busy ones live, the others by asking now and then while something goes on. */
export class AssetStore {
  readonly #api: Api;
  readonly #onChange: () => void;
  readonly #assets = new Map<string, Asset>();
  readonly #streams = new Map<string, AbortController>();
  #nextCursor: string | null = null;
  #timer = 0;

  constructor(api: Api, onChange: () => void) {
    this.#api = api;
    this.#onChange = onChange;
  }

  /** Newest first. */
  get assets(): Asset[] {
    return [...this.#assets.values()]
      .filter(({ state }) => state !== "deleted")
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id));
  }

  get hasMore(): boolean {
    return this.#nextCursor !== null;
  }

  find(id: string): Asset | undefined {
    return this.#assets.get(id);
  }

  /** Asks for the newest assets. Throws ApiProblem. */
  async refresh(): Promise<void> {
    const isFirst = this.#assets.size === 0;
    const page = await this.#api.call<Page<Asset>>("GET", `/v1/assets?limit=${PAGE_SIZE}`);
    if (isFirst) this.#nextCursor = page.nextCursor;
    // What is followed live is newer than any list.
    this.#take(page.data.filter(({ id }) => !this.#streams.has(id)));
  }

  /** One further page of older assets. Throws ApiProblem. */
  async loadMore(): Promise<void> {
    if (this.#nextCursor === null) return;
    const path = `/v1/assets?limit=${PAGE_SIZE}&cursor=${encodeURIComponent(this.#nextCursor)}`;
    const page = await this.#api.call<Page<Asset>>("GET", path);
    this.#nextCursor = page.nextCursor;
    this.#take(page.data);
  }

  /** An asset that another answer told of. */
  put(asset: Asset): void {
    this.#take([asset]);
  }

  /** Follows this one before the others (the one that is looked at). */
  follow(id: string): void {
    if (this.#streams.has(id)) return;
    const [oldest] = this.#streams.keys();
    if (oldest !== undefined && this.#streams.size >= MOST_STREAMS) {
      this.#streams.get(oldest)?.abort();
      this.#streams.delete(oldest);
    }
    void this.#watch(id);
  }

  #take(assets: readonly Asset[]): void {
    for (const asset of assets) this.#assets.set(asset.id, asset);
    const busy = this.assets.filter(isBusy);
    for (const { id } of busy) {
      if (this.#streams.size < MOST_STREAMS && !this.#streams.has(id)) void this.#watch(id);
    }
    this.#refreshLater();
    this.#onChange();
  }

  /** Asks again in a while where something goes on that no stream tells of, whatever became of asking the last time. */
  #refreshLater(): void {
    clearTimeout(this.#timer);
    const isUnwatched = this.assets.some((asset) => isUnsettled(asset) && !this.#streams.has(asset.id));
    if (isUnwatched)
      this.#timer = window.setTimeout(
        () =>
          void this.refresh().catch((thrown) => {
            // Who is let in no more is not let in a moment later either.
            if (!(thrown instanceof ApiProblem && thrown.status === 401)) this.#refreshLater();
          }),
        REFRESH_MS,
      );
  }

  async #watch(id: string): Promise<void> {
    const stop = new AbortController();
    this.#streams.set(id, stop);
    try {
      for await (const asset of watchAsset(this.#api, id, stop.signal)) {
        if (isFinal(asset)) this.#streams.delete(id);
        this.#take([asset]);
      }
    } catch {
      // Left, or gone: the list says what became of it.
    }
    if (this.#streams.get(id) !== stop) return;
    this.#streams.delete(id);
    this.#refreshLater();
  }
}

function isBusy({ state }: Asset): boolean {
  return state === "queued" || state === "probing" || state === "encoding";
}

function isUnsettled(asset: Asset): boolean {
  return asset.state === "waiting" || isBusy(asset);
}
