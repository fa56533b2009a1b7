import { isReachable, type Network } from "./public-address.ts";

/** Why no request may go to a URL; each has its words in `URL_FAULT_WORDS`. */
export type UrlFault = "not_a_url" | "scheme" | "credentials" | "port" | "address";

/** What whoever named the URL is told. */
export const URL_FAULT_WORDS: Record<UrlFault, string> = {
  not_a_url: "is not a URL",
  scheme: "must be an http or https URL",
  credentials: "must not contain a user name or password",
  port: "must use port 80, 443 or one from 1024 on",
  address: "must lead to a public address",
};

/** A parsed URL, or what speaks against it before any name is looked up. */
export type CheckedUrl = { url: URL } | { fault: UrlFault };

/**
 * Reads a URL that a stranger has named, as a browser would: `http://2130706433` and `http://0x7f.1` are 127.0.0.1 here.
 * A name's addresses are to be checked when they are connected to (stores/public-fetch.ts).
 */
export function checkUrl(text: string, allowed: readonly Network[]): CheckedUrl {
  if (!URL.canParse(text)) return { fault: "not_a_url" };
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return { fault: "scheme" };
  if (url.username !== "" || url.password !== "") return { fault: "credentials" };
  // Below are mail, shells and name servers, which can be made to act on what an HTTP request says.
  if (url.port !== "" && url.port !== "80" && url.port !== "443" && Number(url.port) < 1024)
    return { fault: "port" };
  const literal = addressIn(url);
  if (literal !== null && !isReachable(literal, allowed)) return { fault: "address" };
  return { url };
}

/** The address that a URL names instead of a host; null where it names a host. */
export function addressIn({ hostname }: URL): string | null {
  if (hostname.startsWith("[")) return hostname.slice(1, -1);
  // URL Standard, "ends in a number checker": such a host is an IPv4 address by now, or the URL has not parsed.
  return /^\d+(\.\d+){3}$/.test(hostname) ? hostname : null;
}
