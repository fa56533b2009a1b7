import { setTimeout as pause } from "node:timers/promises";
import { tenantsShown } from "../stores/library/catalog-source.ts";
import type { ApiDeps } from "./deps.ts";

/** An API that is started beside others must not keep them waiting for long: what is not read by then is read by who looks. */
const WARM_MS = 15_000;

/**
 * Reads the catalogs of all who show something, so that nobody who comes first waits for it. Never throws: an API without a library
 * has more to say than that, and says it to who asks.
 */
export async function warmCatalogs(
  { library, catalog, log }: Pick<ApiDeps, "library" | "catalog" | "log">,
  withinMs = WARM_MS,
): Promise<void> {
  const over = new AbortController();
  const warm = async (): Promise<void> => {
    try {
      for (const tenant of await tenantsShown(library)) {
        if (over.signal.aborted) return;
        await catalog.view(tenant, null);
      }
    } catch (thrown) {
      log.warn({ err: thrown }, "catalogs not read yet");
    }
  };
  await Promise.race([warm(), pause(withinMs, undefined, { signal: over.signal }).catch(() => undefined)]);
  over.abort();
}
