const STORED_AS = "matinee.uploads";

/** What tells a file from another without reading it. */
function fingerprint({ name, size, lastModified }: File): string {
  return `${name}/${size}/${lastModified}`;
}

function readAll(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(STORED_AS) ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}

/** The upload that this very file was begun with, so that dropping it again goes on instead of starting over. */
export function rememberedUpload(file: File): string | null {
  return readAll()[fingerprint(file)] ?? null;
}

export function rememberUpload(file: File, uploadId: string): void {
  localStorage.setItem(STORED_AS, JSON.stringify({ ...readAll(), [fingerprint(file)]: uploadId }));
}

export function forgetUpload(file: File): void {
  const { [fingerprint(file)]: _gone, ...rest } = readAll();
  localStorage.setItem(STORED_AS, JSON.stringify(rest));
}
