import type { Product } from "../test/rig/product.ts";

/** A film that viewers may watch: the id of its title. */
export async function publishTitle({ call }: Product, assetId: string): Promise<string> {
  const made = await call("POST", "/v1/titles", { type: "movie", name: { en: "A film" }, assetId });
  if (made.status !== 201) throw new Error(`no title: ${JSON.stringify(made.body)}`);
  const published = await call("POST", `/v1/titles/${made.body.id}/publish`, {});
  if (published.status !== 200) throw new Error(`not published: ${JSON.stringify(published.body)}`);
  return made.body.id;
}
