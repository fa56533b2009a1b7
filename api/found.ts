import { notFound } from "../core/errors.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TitleRecord } from "../core/records/title.ts";
import type { WebhookRecord } from "../core/records/webhook.ts";
import { findAsset } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import { findTitle } from "../stores/library/titles.ts";
import { findWebhook } from "../stores/library/webhooks.ts";

/** The tenant's asset of that id, in whatever state. Throws 404 where there is none. */
export async function foundAsset(library: Library, tenant: string, id: string): Promise<AssetRecord> {
  const asset = await findAsset(library, tenant, id);
  if (asset === null) throw notFound("asset");
  return asset;
}

/** The tenant's title of that id, shown or not. Throws 404 where there is none. */
export async function foundTitle(library: Library, tenant: string, id: string): Promise<TitleRecord> {
  const title = await findTitle(library, tenant, id);
  if (title === null) throw notFound("title");
  return title;
}

/** The tenant's webhook of that id, on or off. Throws 404 where there is none. */
export async function foundWebhook(library: Library, tenant: string, id: string): Promise<WebhookRecord> {
  const webhook = await findWebhook(library, tenant, id);
  if (webhook === null) throw notFound("webhook");
  return webhook;
}
