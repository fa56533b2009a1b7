import type { Network } from "./public-address.ts";
import { checkUrl, URL_FAULT_WORDS } from "./public-url.ts";

/**
 * What speaks against sending to a URL, in words for who named it; null: nothing yet. What its name leads to is looked at when it is
 * connected to. Only an operator who allows networks of his own has endpoints without TLS.
 */
export function endpointFault(text: string, networks: readonly Network[]): string | null {
  const looked = checkUrl(text, networks);
  if ("fault" in looked) return URL_FAULT_WORDS[looked.fault];
  return looked.url.protocol === "https:" || networks.length > 0 ? null : "must be an https URL";
}
