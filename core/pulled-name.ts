const LONGEST = 255;
const NAMELESS = "film";

/** Ends of the names that films have. */
const MEDIA_NAME =
  /\.(mp4|m4v|mov|qt|mkv|webm|ts|mts|m2ts|mpg|mpeg|m2v|vob|mxf|avi|wmv|asf|flv|ogv|ogg|3gp)$/i;

/**
 * What a fetched file is called, for people: as its server says (RFC 6266), else by the last part of the URL's path where that
 * is the name of a film. What else a URL ends in may be what opens the file to whoever knows it. At most 255 characters, none
 * of them a slash or a control character.
 */
export function pulledName(contentDisposition: string | undefined, url: string): string {
  const path = new URL(url).pathname.split("/").findLast((part) => part !== "") ?? "";
  const said = [extendedName(contentDisposition ?? ""), plainName(contentDisposition ?? "")].map(cleaned);
  const inUrl = cleaned(decoded(path));
  const isName = MEDIA_NAME.test(inUrl) && !looksRandom(inUrl.replace(MEDIA_NAME, ""));
  return [...said, isName ? inUrl : ""].find((name) => name !== "") ?? NAMELESS;
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
/** Shorter ones can be guessed, and many names are like them: `S01E02`, `GX010042`. */
const RANDOM_LENGTH = 16;

/**
 * Whether a text is drawn rather than written: letters, digits and cases change in it far more often than in a name. Of random
 * base64url and hex of 22 characters and more it finds nine in ten and more (test/core/pull.test.ts).
 */
export function looksRandom(text: string): boolean {
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const length = words.reduce((sum, word) => sum + word.length, 0);
  const changes = words.reduce((sum, word) => sum + changesIn(word), 0);
  return (
    UUID.test(text) ||
    (length >= RANDOM_LENGTH && changes > 0.3 * length) ||
    words.some(
      (word) => word.length >= RANDOM_LENGTH && (changesIn(word) > 0.22 * word.length || /^\d+$/.test(word)),
    )
  );
}

/** How often digits, small and capital letters follow each other; a capital that begins a word is none. */
function changesIn(word: string): number {
  const kinds = [...word].map((sign) =>
    /\p{N}/u.test(sign) ? "digit" : /\p{Lu}/u.test(sign) ? "capital" : "small",
  );
  return kinds.filter((kind, index) => {
    const before = kinds[index - 1];
    return before !== undefined && before !== kind && !(before === "capital" && kind === "small");
  }).length;
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
