/** BCP-47 in its plain forms: language, script, region, variants. */
export const LANGUAGE_TAG = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/;

/** A language in its own words (`Deutsch` for `de`), as HLS and DASH name tracks; `Original` where it is not known. */
export function languageName(language: string): string {
  if (language === "und") return "Original";
  return new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
}
