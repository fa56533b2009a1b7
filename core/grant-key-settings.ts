import { type GrantKey, parseGrantKeys } from "./grant.ts";
import type { Settings } from "./settings.ts";

const KEYS = "MATINEE_GRANT_KEYS";
const FILE = "MATINEE_GRANT_KEYS_FILE";

/** Where the grant keys stand: in the settings, or in a file that may change while we run. One of the two. */
export interface GrantKeySettings {
  /** Empty where they stand in a file. */
  grantKeys: GrantKey[];
  grantKeysFile: string | null;
}

/** Reads them; both, neither, or keys that are none are faults of `settings`. */
export function grantKeySettings(settings: Settings): GrantKeySettings {
  if (settings.either(KEYS, FILE) === FILE) return { grantKeys: [], grantKeysFile: settings.given(FILE) };
  return { grantKeys: settings.optional(KEYS, parseGrantKeys, []), grantKeysFile: null };
}
