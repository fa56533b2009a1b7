import type { Asset } from "./answers.ts";
import { type Api, ApiProblem } from "./api-client.ts";

export type SubtitleRole = "main" | "sdh" | "forced" | "commentary";

/** What a subtitle file is, as a person says it. */
export interface SubtitleWish {
  /** BCP-47. */
  language: string;
  /** null lets the language stand for it. */
  label: string | null;
  role: SubtitleRole;
  filename: string;
  file: Blob;
}

const FORMATS: Record<string, "srt" | "vtt" | "ass"> = { srt: "srt", vtt: "vtt", ass: "ass", ssa: "ass" };
/** What the file field of a page takes. */
export const SUBTITLE_ENDINGS = Object.keys(FORMATS).map((ending) => `.${ending}`);
/** The API takes no more; its answer to a longer one could not even be read. */
const MOST_BYTES = 2 ** 20;

/**
 * Sends a subtitle file as it is, in whatever letters, and answers the asset, at work on it. Throws ApiProblem:
 * `subtitle_invalid` where no track can be made of it.
 */
export async function addSubtitle(
  api: Api,
  assetId: string,
  { language, label, role, filename, file }: SubtitleWish,
  signal?: AbortSignal,
): Promise<Asset> {
  const format = FORMATS[filename.split(".").at(-1)?.toLowerCase() ?? ""];
  if (format === undefined) {
    const known = SUBTITLE_ENDINGS.join(", ");
    throw new ApiProblem(422, "subtitle_invalid", `${filename} is no subtitle file (${known}).`);
  }
  if (file.size > MOST_BYTES)
    throw new ApiProblem(413, "subtitle_too_large", "A subtitle file has at most 1 MiB.");
  const base64 = toBase64(new Uint8Array(await file.arrayBuffer()));
  return api.call<Asset>("POST", `/v1/assets/${assetId}/tracks`, {
    body: { kind: "subtitle", language, label, role, file: { format, base64 } },
    idempotencyKey: crypto.randomUUID(),
    ...(signal && { signal }),
  });
}

function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8_192)
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
  return btoa(pieces.join(""));
}
