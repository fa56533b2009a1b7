import { createHash } from "node:crypto";

/**
 * Where and on what a grant may be used: a network, countries, a device; each may be left out. In a grant they are
 * one text, `n<4|6><hex digits>~c<COUNTRIES>~d<device>`: the leading digits of the viewer's address in hexadecimal,
 * ISO 3166 codes without a space between, and the beginning of a hash of the User-Agent. An edge that cannot tell
 * what a limit asks for refuses.
 */
export interface GrantLimits {
  /** An address and how many of its leading bits count, in whole hexadecimal digits: `192.0.2.0/24`. */
  network?: string;
  /** Capital ISO 3166-1 alpha-2 codes. */
  countries?: readonly string[];
  /** The whole User-Agent header. */
  userAgent?: string;
}

/** Who asks, as the edge sees it; null where it cannot tell. */
export interface Asker {
  address: string | null;
  country: string | null;
  userAgent: string | null;
}

/** Of a list of addresses, as proxies write it, the last one: that is what the proxy next to us has seen itself; null where there is none. */
export function nearestAddress(list: string | undefined): string | null {
  return list?.split(",").at(-1)?.trim() ?? null;
}

export const NOBODY: Asker = { address: null, country: null, userAgent: null };

/** As many countries as a grant can name: each is two characters of every URL. */
export const MOST_COUNTRIES = 60;
const LIMITS = new RegExp(
  `^(?!~|$)(?:n(4[0-9a-f]{1,8}|6[0-9a-f]{1,32}))?(?:(?:^|~)c((?:[A-Z]{2}){1,${MOST_COUNTRIES}}))?(?:(?:^|~)d([A-Za-z0-9_-]{16}))?$`,
);
const DEVICE_LENGTH = 16;

/** The limits as they stand in a grant; "" for none. Throws on limits that no edge could hold anybody to. */
export function limitsText({ network, countries, userAgent }: GrantLimits): string {
  const parts: string[] = [];
  if (network !== undefined) {
    const [address = "", bits = ""] = network.split("/");
    const digits = addressDigits(address);
    const kept = Number(bits) / 4;
    if (digits === null || !Number.isInteger(kept) || kept < 1 || kept >= digits.length)
      throw new Error("a network is an address and a multiple of 4 bits");
    parts.push(`n${digits.slice(0, 1 + kept)}`);
  }
  if (countries !== undefined) parts.push(`c${countries.join("")}`);
  if (userAgent !== undefined) parts.push(`d${deviceOf(userAgent)}`);
  const text = parts.join("~");
  if (text !== "" && !areLimits(text)) throw new Error(`countries are 1 to ${MOST_COUNTRIES} ISO 3166 codes`);
  return text;
}

/** Whether the text has the form of limits. */
export function areLimits(text: string): boolean {
  return LIMITS.test(text);
}

/** Whether who asks is within all of the limits. */
export function isWithin(limits: string, asker: Asker): boolean {
  const match = LIMITS.exec(limits);
  if (match === null) return false;
  const [, network, countries, device] = match;
  if (network !== undefined && !(addressDigits(asker.address ?? "") ?? "").startsWith(network)) return false;
  if (countries !== undefined && !isListed(countries, asker.country)) return false;
  return device === undefined || (asker.userAgent !== null && deviceOf(asker.userAgent) === device);
}

function isListed(countries: string, country: string | null): boolean {
  if (country === null || !/^[A-Z]{2}$/.test(country)) return false;
  for (let at = 0; at < countries.length; at += 2) if (countries.slice(at, at + 2) === country) return true;
  return false;
}

function deviceOf(userAgent: string): string {
  return createHash("sha256").update(userAgent).digest("base64url").slice(0, DEVICE_LENGTH);
}

const BYTE = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/;
const MAPPED = "00000000000000000000ffff";

/**
 * An IP address as `4` and 8 or `6` and 32 hexadecimal digits; null where it is none. An IPv4 address that arrives
 * as IPv6 (`::ffff:192.0.2.7`, RFC 4291 §2.5.5.2) is the IPv4 address: both are one viewer.
 */
export function addressDigits(address: string): string | null {
  const text = address.toLowerCase();
  if (!text.includes(":")) {
    const digits = bytesDigits(text);
    return digits === null ? null : `4${digits}`;
  }
  const digits = groupsDigits(text);
  if (digits === null) return null;
  return digits.startsWith(MAPPED) ? `4${digits.slice(MAPPED.length)}` : `6${digits}`;
}

function bytesDigits(text: string): string | null {
  const bytes = text.split(".");
  if (bytes.length !== 4 || !bytes.every((byte) => BYTE.test(byte) && Number(byte) < 256)) return null;
  return bytes.map((byte) => Number(byte).toString(16).padStart(2, "0")).join("");
}

/** RFC 4291 §2.2: eight groups, one run of zeros left out as `::`, the last two perhaps in dotted form. */
function groupsDigits(text: string): string | null {
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  let plain = text;
  if (dotted.includes(".")) {
    const digits = bytesDigits(dotted);
    if (digits === null) return null;
    plain = `${text.slice(0, -dotted.length)}${digits.slice(0, 4)}:${digits.slice(4)}`;
  }
  const halves = plain.split("::");
  if (halves.length > 2) return null;
  const [before, after] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - (before?.length ?? 0) - (after?.length ?? 0);
  if (after === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...(before ?? []), ...Array<string>(missing).fill("0"), ...(after ?? [])];
  if (!groups.every((group) => GROUP.test(group))) return null;
  return groups.map((group) => group.padStart(4, "0")).join("");
}
