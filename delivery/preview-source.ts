import { Failure } from "../core/errors.ts";
import { type GrantKey, signGrant } from "../core/grant.ts";
import { packagePrefix } from "../core/keys.ts";
import { previewCellOf } from "../core/preview.ts";
import { PREVIEW_SESSION } from "../core/revocation.ts";
import type { ObjectSource } from "./object-source.ts";

/** Has a cell of a preview made. False where its film has no such cell; throws `transient` where it takes too long. */
export type Demand = (key: string, signal: AbortSignal) => Promise<boolean>;

/** The API answers within eight seconds; longer than this it is not there. */
const LONGEST_WAIT_MS = 9_500;
const DEMAND_SECONDS = 60;
/** Editors look at a film also while no viewer may. */
const DEMANDED_BY = `${PREVIEW_SESSION}edge`;

/**
 * A source in which the cells of previews come to be when they are asked for. `demand` is null at an edge that knows no
 * API: it serves what is there, and asks to come again for the rest.
 */
export function withPreviews(source: ObjectSource, demand: Demand | null): ObjectSource {
  return {
    async find(key, wish) {
      const found = await source.find(key, wish);
      if (found !== null || previewCellOf(key) === null) return found;
      if (demand === null) throw notReady();
      return (await demand(key, wish.signal)) ? source.find(key, wish) : null;
    },
  };
}

/** Asks the API at that address, under a grant of our own for the film. */
export function askApi(apiUrl: string, grantKeys: () => readonly GrantKey[]): Demand {
  return async (key, signal) => {
    const wanted = previewCellOf(key);
    const [signing] = grantKeys();
    if (wanted === null || signing === undefined) return false;
    const grant = signGrant(signing, {
      prefix: `/${packagePrefix(wanted.assetId, wanted.generation)}`,
      expiresAtSeconds: Math.floor(Date.now() / 1000) + DEMAND_SECONDS,
      session: DEMANDED_BY,
    });
    const answer = await fetch(`${apiUrl}/preview-demands/v/${grant}/${key}`, {
      method: "POST",
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_WAIT_MS)]),
    }).catch((cause: unknown) => {
      throw notReady(cause);
    });
    await answer.body?.cancel();
    if (answer.status === 204) return true;
    if (answer.status === 404) return false;
    throw notReady(new Error(`the API answered ${answer.status}`));
  };
}

function notReady(cause?: unknown): Failure {
  return new Failure("transient", "preview_not_ready", "This part of the film is still being made.", {
    retryAfterSeconds: 1,
    cause,
  });
}
