import { GERMAN } from "./strings-de.ts";
import { ENGLISH, type StringKey } from "./strings-en.ts";

export type { StringKey } from "./strings-en.ts";

const isGerman = navigator.language.startsWith("de");
const table: Record<StringKey, string> = isGerman ? GERMAN : ENGLISH;
export const pageLanguage = isGerman ? "de" : "en";

/** The page's text for `key`, with `{name}` places filled. */
export function text(key: StringKey, values: Record<string, string | number> = {}): string {
  return table[key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
