/**
 * Which addresses a request may go to that a stranger has named (RELIABILITY T24, T25): public unicast ones, and those
 * in networks that the operator allows. What is not known to be public is not.
 */

/** A block of addresses. IPv4 lies where IPv6 maps it, in `::ffff:0:0/96`: one address has one number, however it is spelt. */
export interface Network {
  first: bigint;
  last: bigint;
}

const ADDRESS_BITS = 128n;
const MAPPED_IPV4 = 0xffffn << 32n;
const IPV4_MASK = 0xffffffffn;

/**
 * Not for the public internet, by IANA's registries of special-purpose addresses: also what they call reachable that
 * serves no files (AS112, relays and tunnels, in which another address is hidden), and Azure's own service address.
 */
const SPECIAL = parseNetworks(`
  0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
  203.0.113.0/24 224.0.0.0/3 168.63.129.16/32
  2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3ffe::/16 3fff::/20`);
/** RFC 4291 §2.4 and IANA: all that has been given out as global unicast lies in here. */
const [GLOBAL_UNICAST, IPV4, NAT64] = parseNetworks("2000::/3 0.0.0.0/0 64:ff9b::/96") as [
  Network,
  Network,
  Network,
];

/** Whether a connection may go to this address literal; a text that is none may not be connected to. */
export function isReachable(address: string, allowed: readonly Network[]): boolean {
  const number = parseAddress(address);
  if (number === null) return false;
  return isIn(number, allowed) || isPublic(number);
}

function isPublic(number: bigint): boolean {
  // RFC 6052 §3.1: behind this prefix stands the IPv4 address that a translator connects to.
  if (isIn(number, [NAT64])) return isPublic(MAPPED_IPV4 | (number & IPV4_MASK));
  return isIn(number, [GLOBAL_UNICAST, IPV4]) && !isIn(number, SPECIAL);
}

function isIn(number: bigint, networks: readonly Network[]): boolean {
  return networks.some(({ first, last }) => first <= number && number <= last);
}

/** Networks from a list in CIDR notation, apart by commas or spaces; throws an Error that names the entry at fault. */
export function parseNetworks(text: string): Network[] {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map(parseNetwork);
}

function parseNetwork(entry: string): Network {
  const [, base = "", prefix] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const number = parseAddress(base);
  const spareBits = (base.includes(":") ? ADDRESS_BITS : 32n) - BigInt(prefix ?? 0);
  if (number === null || prefix === undefined || spareBits < 0n)
    throw new Error(`${entry} is not a network in CIDR notation`);
  const hosts = (1n << spareBits) - 1n;
  if ((number & hosts) !== 0n) throw new Error(`${entry} has bits set behind its prefix`);
  return { first: number, last: number | hosts };
}

/** Dotted decimal or IPv6 as text (RFC 4291 §2.2), without a zone: a zone means a link of this machine. */
function parseAddress(text: string): bigint | null {
  if (!text.includes(":")) {
    const number = parseIpv4(text);
    return number === null ? null : MAPPED_IPV4 | number;
  }
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map(parseGroups);
  if (head == null || tail === null) return null;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])];
  return groups.reduce((number, group) => (number << 16n) | group, 0n);
}

function parseGroups(text: string): bigint[] | null {
  if (text === "") return [];
  const groups: bigint[] = [];
  const words = text.split(":");
  for (const [index, word] of words.entries()) {
    const ipv4 = index === words.length - 1 && word.includes(".") ? parseIpv4(word) : null;
    if (ipv4 !== null) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(word)) groups.push(BigInt(`0x${word}`));
    else return null;
  }
  return groups;
}

function parseIpv4(text: string): bigint | null {
  const words = text.split(".");
  // No leading zeros: some readers take them for octal.
  if (words.length !== 4 || !words.every((word) => /^(0|[1-9]\d{0,2})$/.test(word) && Number(word) < 256))
    return null;
  return words.reduce((number, word) => (number << 8n) | BigInt(word), 0n);
}
