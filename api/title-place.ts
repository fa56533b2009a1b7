import type { z } from "@hono/zod-openapi";
import { invalidFields } from "../core/errors.ts";
import type { TitleType } from "../core/records/title.ts";
import { findAsset } from "../stores/library/assets.ts";
import { findTitle } from "../stores/library/titles.ts";
import type { ApiDeps } from "./deps.ts";
import type { titlePatch } from "./title-view.ts";

/** Which titles one of a type may be a part of; none of them leads back to itself. */
const PARENTS: Record<TitleType, readonly TitleType[]> = {
  movie: [],
  series: [],
  season: ["series"],
  episode: ["series", "season"],
};

/**
 * What a title points to must be the tenant's own and, for a parent, of a type that can hold it; only a part has a number. Throws 400 of
 * all that is wrong.
 */
export async function checkPlace(
  { library }: ApiDeps,
  tenant: string,
  type: TitleType,
  place: Pick<z.infer<typeof titlePatch>, "assetId" | "parentId" | "number">,
): Promise<void> {
  const fields = [];
  if (place.assetId) {
    const asset = await findAsset(library, tenant, place.assetId);
    if (asset === null || asset.state === "deleted")
      fields.push({ path: "assetId", message: "is not an asset" });
  }
  if (place.parentId) {
    const parents = PARENTS[type];
    const parent = await findTitle(library, tenant, place.parentId);
    if (parent === null || !parents.includes(parent.type)) {
      const message =
        parents.length === 0 ? `a ${type} is a part of nothing` : `is not a ${parents.join(" or ")}`;
      fields.push({ path: "parentId", message });
    }
  }
  if (place.number && PARENTS[type].length === 0)
    fields.push({ path: "number", message: `a ${type} is a part of nothing` });
  if (fields.length > 0) throw invalidFields(fields);
}
