import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRevoked, type Revocations } from "../../core/revocation.ts";

/**
 * What njs has found good (edge.js) and nginx need not ask again: empty files `<turn>~<grant>~<asset>~<generation>`.
 * nginx looks for those of the turn that it is alone, so none outlives its turn, whatever becomes of us.
 */

/** As in edge.js, and as nginx.conf.template cuts the seconds. */
const TURN_SECONDS = 100;

/** Makes an empty folder: another start may have other keys. nginx makes it its workers' own. */
export async function emptyVerdicts(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
}

/** Removes what other turns left behind, and what the list calls back: that is judged again. Times in seconds since 1970. */
export async function forgetVerdicts(folder: string, list: Revocations, nowSeconds: number): Promise<void> {
  const turn = String(Math.floor(nowSeconds / TURN_SECONDS));
  for (const name of await readdir(folder)) {
    if (!stillHolds(name, turn, list)) await rm(join(folder, name), { force: true });
  }
}

function stillHolds(name: string, turn: string, list: Revocations): boolean {
  const [ofTurn, grant = "", asset, generation] = name.split("~");
  const [, kid, expires, session] = grant.split(".");
  if (ofTurn !== turn || kid === undefined || session === undefined) return false;
  const claims = { prefix: `/${asset}/${generation}/`, expiresAtSeconds: Number(expires), session };
  return !isRevoked(list, { kid, claims });
}
