import { type EncodingWish, goesOnWith } from "../encoding-wish.ts";

const STORED_AS = "matinee.uploads";

/** What tells a file from another without reading it. */
function fingerprint({ name, size, lastModified }: File): string {
  return `${name}/${size}/${lastModified}`;
}

interface Begun {
  id: string;
  encoding: EncodingWish;
}

function readAll(): Record<string, Begun> {
  try {
    return JSON.parse(localStorage.getItem(STORED_AS) ?? "{}") as Record<string, Begun>;
  } catch {
    return {};
  }
}

/**
 * The upload that this very file was begun with, so that dropping it again goes on instead of starting over; null where
 * another encoding is asked for now.
 */
export function rememberedUpload(file: File, encoding: EncodingWish): string | null {
  const begun = readAll()[fingerprint(file)];
  return begun?.id !== undefined && goesOnWith(begun.encoding, encoding) ? begun.id : null;
}

export function rememberUpload(file: File, id: string, encoding: EncodingWish): void {
  localStorage.setItem(STORED_AS, JSON.stringify({ ...readAll(), [fingerprint(file)]: { id, encoding } }));
}

export function forgetUpload(file: File): void {
  const { [fingerprint(file)]: _gone, ...rest } = readAll();
  localStorage.setItem(STORED_AS, JSON.stringify(rest));
}
