const LONGEST = 255;
const NAMELESS = "film";

/**
 * What a fetched file is called, for people: as its server says (RFC 6266), else by the last part of the URL's path. At
 * most 255 characters, none of them a slash or a control character.
 */
export function pulledName(contentDisposition: string | undefined, url: string): string {
  const path = new URL(url).pathname.split("/").findLast((part) => part !== "") ?? "";
  const candidates = [
    extendedName(contentDisposition ?? ""),
    plainName(contentDisposition ?? ""),
    decoded(path),
  ];
  return candidates.map(cleaned).find((name) => name !== "") ?? NAMELESS;
}

/** RFC 8187 §3.2: `filename*=UTF-8'en'…` with percent-encoded bytes. */
function extendedName(header: string): string {
  const [, value] = /;\s*filename\*\s*=\s*UTF-8'[^']*'([^;\s]+)/i.exec(header) ?? [];
  return decoded(value ?? "");
}

function plainName(header: string): string {
  const [, quoted, token] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header) ?? [];
  return quoted?.replaceAll(/\\(.)/g, "$1") ?? token ?? "";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 6266 §4.3: only the last part of what looks like a path. */
function cleaned(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  const plain = last.replaceAll(/\p{C}/gu, "").trim();
  return plain === "." || plain === ".." ? "" : [...plain].slice(0, LONGEST).join("").slice(0, LONGEST);
}
