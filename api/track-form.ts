import { z } from "@hono/zod-openapi";

/** What a request says of a track: its language, and what a person is shown. */

/**
 * BCP-47, well-formed (RFC 5646 §2.2.9), in its usual spelling: `PT-br` becomes `pt-BR`. Extensions and private parts say
 * nothing that a player could show.
 */
export const trackLanguage = z
  .string()
  .min(2)
  .max(35)
  .refine((tag) => canonical(tag) !== null, "must be a BCP-47 language tag without extensions")
  .transform((tag) => canonical(tag) ?? tag);

function canonical(tag: string): string | null {
  try {
    const [found] = Intl.getCanonicalLocales(tag);
    return found !== undefined && new Intl.Locale(found).baseName === found ? found : null;
  } catch {
    return null;
  }
}

/** RFC 8216 §4.2: a quoted string holds neither a quote nor a line's end. */
export const trackLabel = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // No `regex`: the flag that its letters need has no place in a JSON schema.
  .refine((label) => /^[^\p{C}"]+$/u.test(label), "must hold neither quotes nor control characters")
  .nullable()
  .default(null);
