/** The same name as the player's: what is published here is watched there with the same token. */
const STORED_AS = "matinee.token";

/** The tab's token: a new one from `#token=` (which the address then forgets), else the one kept. */
export function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.replace(/^#/, "")).get("token");
  if (token === null) return sessionStorage.getItem(STORED_AS);
  keepToken(token);
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(STORED_AS, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(STORED_AS);
}
