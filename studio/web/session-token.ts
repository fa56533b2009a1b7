/** The same name as the player's: what is published here is watched there with the same token. */
const STORED_AS = "matinee.token";

/** Whether the address brings a token. */
export function hasToken(): boolean {
  return inAddress().has("token");
}

/** The tab's token: a new one from `#token=` (which the address then forgets), else the one kept. */
export function takeToken(): string | null {
  const values = inAddress();
  const token = values.get("token");
  if (token === null) return sessionStorage.getItem(STORED_AS);
  keepToken(token);
  values.delete("token");
  const rest = values.size === 0 ? "" : `#${values}`;
  history.replaceState(null, "", location.pathname + location.search + rest);
  return token;
}

function inAddress(): URLSearchParams {
  return new URLSearchParams(location.hash.replace(/^#/, ""));
}

export function keepToken(token: string): void {
  sessionStorage.setItem(STORED_AS, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(STORED_AS);
}
