import type { Title } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { pageLanguage } from "./strings.ts";
import type { Details } from "./title-details.ts";

/** A film's title as the library was last seen to have it. A change to what is another by now is refused with 412. */
export class KeptTitle {
  readonly #api: Api;
  #title: Title | null = null;
  #etag: string | null = null;

  constructor(api: Api) {
    this.#api = api;
  }

  /** null until it has been read or made. */
  get title(): Title | null {
    return this.#title;
  }

  read(id: string): Promise<Title> {
    return this.#call("GET", `/v1/titles/${id}`, {});
  }

  /** Makes it for an asset, under this name in the page's language. */
  make(assetId: string, name: string, details: Partial<Details>): Promise<Title> {
    const body = { type: "movie", name: { [pageLanguage]: name }, assetId, ...details };
    return this.#call("POST", "/v1/titles", { body, idempotencyKey: crypto.randomUUID() });
  }

  /** Changes what is another; without a call where nothing is. */
  async change(title: Title, name: string, details: Partial<Details>): Promise<Title> {
    const renamed =
      title.name[pageLanguage] === name ? {} : { name: { ...title.name, [pageLanguage]: name } };
    const body = { ...renamed, ...details };
    if (Object.keys(body).length === 0) return title;
    return this.#call("PATCH", `/v1/titles/${title.id}`, { body, ifMatch: this.#etag ?? "*" });
  }

  async #call(method: string, path: string, request: Parameters<Api["call"]>[2]): Promise<Title> {
    const { body, etag } = await this.#api.callWithEtag<Title>(method, path, request);
    this.#title = body;
    this.#etag = etag;
    return body;
  }
}
