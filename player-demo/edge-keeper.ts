import { chooseEdge, edgeOrder, type SteeringAnswer, withHost } from "./edge-order.ts";
import type { GrantKeeper } from "./grant-keeper.ts";
import { grantOf } from "./grant-swap.ts";

const RETRY_SECONDS = 20;

/**
 * Which of several edges each request goes to: the one that the steering server puts first, unless it failed here of late.
 * Playlists are the same on all edges and name their parts relatively, so only the host of an address changes, under the
 * grant that is good now; hls.js notices nothing but a request that it repeats. (Its own steering loads other levels for
 * each edge: the menus of the page would lose theirs, and it turns to another edge after six failures.)
 */
export class EdgeKeeper {
  readonly #grants: GrantKeeper;
  readonly #own: string;
  readonly #port: string;
  readonly #failedMs = new Map<string, number>();
  readonly #asked = new WeakMap<XMLHttpRequest, string>();
  #order: string[];
  #timer = 0;

  /** `steeringUrl` null: there is one edge. */
  constructor(grants: GrantKeeper, manifestUrl: string, steeringUrl: string | null) {
    const { hostname, port } = new URL(manifestUrl);
    this.#grants = grants;
    this.#own = hostname;
    this.#port = port;
    this.#order = [hostname];
    if (steeringUrl !== null) void this.#ask(steeringUrl);
  }

  /** The hostname that is asked next. */
  get hostname(): string {
    return chooseEdge(this.#order, this.#failedMs, performance.now()) ?? this.#own;
  }

  /** How many edges there are to ask. */
  get count(): number {
    return this.#order.length;
  }

  /** Where an object of the film is to be had now. Any other address stays as it is. */
  async address(url: string): Promise<string> {
    return this.#placed(await this.#grants.fresh(url));
  }

  /** Opens a request of hls.js there, and hears how it ends. */
  async open(request: XMLHttpRequest, url: string): Promise<void> {
    const address = await this.address(url);
    const { hostname } = new URL(address);
    request.open("GET", address, true);
    if (!this.#asked.has(request)) {
      request.addEventListener("error", () => this.failed(request));
      request.addEventListener("load", () => request.status >= 500 && this.failed(request));
    }
    this.#asked.set(request, hostname);
  }

  /** The edge that the request went to did not answer, or not well. */
  failed(request: XMLHttpRequest): void {
    const hostname = this.#asked.get(request);
    if (hostname !== undefined) this.#failedMs.set(hostname, performance.now());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = -1;
  }

  #placed(url: string): string {
    const { hostname, port } = new URL(url);
    const isEdge = hostname === this.#own || this.#order.includes(hostname);
    const isOurs = grantOf(url) !== null && port === this.#port && isEdge;
    return isOurs ? withHost(url, this.hostname) : url;
  }

  async #ask(url: string): Promise<void> {
    let seconds = RETRY_SECONDS;
    try {
      const address = new URL(await this.#grants.fresh(new URL(url, location.href).href));
      address.searchParams.set("_HLS_pathway", this.hostname === this.#own ? "." : this.hostname);
      const answer = (await (await fetch(address)).json()) as SteeringAnswer;
      const order = edgeOrder(answer, this.#own);
      if (order.length > 0) this.#order = order;
      seconds = answer.TTL ?? seconds;
    } catch {
      // The order that is known holds; it is asked again.
    }
    if (this.#timer === -1) return;
    this.#timer = window.setTimeout(() => void this.#ask(url), seconds * 1_000);
  }
}
