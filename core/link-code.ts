/** What stands behind `/l/`: a code that is drawn, or words that a person chose. */

/** Sixty bits in Crockford's base32: nobody comes upon one, and all its letters can be read out (RELIABILITY T34). */
const DRAWN_LENGTH = 12;
const DRAWN = /^[0-9a-hjkmnp-tv-z]{12}$/;

export const ALIAS_MIN_LENGTH = 3;
export const ALIAS_MAX_LENGTH = 60;
const ALIAS = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Words that would speak in the product's own name, or that it may want for itself one day. */
const RESERVED = new Set([
  ...["about", "account", "admin", "api", "app", "assets", "auth", "billing", "dashboard", "docs", "feed"],
  ...["healthz", "help", "home", "index", "legal", "link", "links", "login", "logout", "matinee", "metrics"],
  ...["new", "null", "oauth", "official", "password", "player", "privacy", "readyz", "robots", "root"],
  ...["search", "security", "settings", "share", "signin", "signup", "static", "status", "studio", "support"],
  ...["system", "terms", "undefined", "user", "users", "verify", "www"],
]);

/** The code of the link with this `ln_` id. The id has 130 random bits, of which these are the first. */
export function drawnCode(linkId: string): string {
  return linkId.slice("ln_".length, "ln_".length + DRAWN_LENGTH);
}

/** Whether it has the form of a drawn code, which cannot be come upon by trying. */
export function isDrawnCode(text: string): boolean {
  return DRAWN.test(text);
}

/** Whether the text has the form of an alias: words of small letters and digits with single dashes between them. */
export function isAliasForm(text: string): boolean {
  return text.length >= ALIAS_MIN_LENGTH && text.length <= ALIAS_MAX_LENGTH && ALIAS.test(text);
}

export function isReservedAlias(text: string): boolean {
  return RESERVED.has(text);
}

/** As it is looked up: a link that was written down in capitals leads to the same place. */
export function spokenCode(text: string): string {
  return text.toLowerCase();
}
