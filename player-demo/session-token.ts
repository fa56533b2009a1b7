const STORED_AS = "matinee.token";

/** What `#…` carries: a token (once), a title to play, or one to tell about. */
export interface HashPlace {
  token: string | null;
  titleId: string | null;
  aboutId: string | null;
  /** From where to play it; null is where it was left. */
  fromSeconds: number | null;
}

export function readHash(hash: string): HashPlace {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const from = values.get("from");
  return {
    token: values.get("token"),
    titleId: values.get("title"),
    aboutId: values.get("about"),
    fromSeconds: from === null || !Number.isFinite(Number(from)) ? null : Math.max(0, Number(from)),
  };
}

/** The tab's token: a new one from the address (which then forgets it), else the one kept. */
export function takeToken(): string | null {
  const values = new URLSearchParams(location.hash.replace(/^#/, ""));
  const token = values.get("token");
  if (token === null) return sessionStorage.getItem(STORED_AS);
  keepToken(token);
  values.delete("token");
  const rest = values.toString();
  history.replaceState(null, "", location.pathname + location.search + (rest === "" ? "" : `#${rest}`));
  return token;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(STORED_AS, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(STORED_AS);
}
