import { analyse } from "chardet";

/** What most old files that say nothing are written in. */
const FALLBACK = "windows-1252";
/** Of 100. A few letters fit many charsets: a guess below this is worse than the fallback. */
const LEAST_CONFIDENCE = 20;

/** A text of unknown letters as Unicode: by its byte order mark, as UTF-8 where it is valid, else by what its bytes look like. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(charsetOf(bytes)).decode(bytes);
}

function charsetOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  // Before UTF-8: Latin letters in UTF-16 are valid in it too.
  const zeros = zeroShares(bytes.subarray(0, 4096));
  if (zeros.odd > 0.2) return "utf-16le";
  if (zeros.even > 0.2) return "utf-16be";
  return isUtf8(bytes) ? "utf-8" : known(analyse(bytes)[0]);
}

/** How many of the bytes at even and at odd places are zero. */
function zeroShares(bytes: Uint8Array): { even: number; odd: number } {
  const places = [0, 0];
  for (const [at, byte] of bytes.entries()) if (byte === 0) places[at % 2]! += 1;
  const half = Math.max(1, bytes.length / 2);
  return { even: places[0]! / half, odd: places[1]! / half };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The Encoding Standard's name of what was guessed; the fallback where it has none or the guess is a poor one. */
function known(guess: { name: string; confidence: number } | undefined): string {
  if (guess === undefined || guess.confidence < LEAST_CONFIDENCE) return FALLBACK;
  try {
    return new TextDecoder(guess.name).encoding;
  } catch {
    return FALLBACK;
  }
}
