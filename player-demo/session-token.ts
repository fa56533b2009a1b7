const STORED_AS = "matinee.token";

/** What `#…` carries: a token (once), a title to open. */
export function readHash(hash: string): { token: string | null; titleId: string | null } {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  return { token: values.get("token"), titleId: values.get("title") };
}

/** The tab's token: a new one from the address (which then forgets it), else the one kept. */
export function takeToken(): string | null {
  const { token, titleId } = readHash(location.hash);
  if (token === null) return sessionStorage.getItem(STORED_AS);
  keepToken(token);
  const rest = titleId === null ? "" : `#title=${encodeURIComponent(titleId)}`;
  history.replaceState(null, "", location.pathname + location.search + rest);
  return token;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(STORED_AS, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(STORED_AS);
}
