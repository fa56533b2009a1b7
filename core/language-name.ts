/** A language in its own words (`Deutsch` for `de`), as HLS and DASH name tracks; `Original` where it is not known. */
export function languageName(language: string): string {
  if (language === "und") return "Original";
  return new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
}
