import type { Asset, Finding } from "../answers.ts";
import { ApiProblem } from "../api-client.ts";
import { PartRefused } from "../upload-file.ts";
import { element } from "./element.ts";
import { inGerman, plain, type Said } from "./said.ts";
import { FAILURES, FINDINGS, PROBLEMS } from "./sentences-de.ts";
import { pageLanguage, text } from "./strings.ts";

/** What went wrong, as the person at the desk may read it. */

/** Why a request came to nothing. */
export function problemOf(thrown: unknown): Said {
  if (thrown instanceof PartRefused) return plain(text("storageAway"));
  if (!(thrown instanceof ApiProblem)) return plain(text("unknown"));
  if (thrown.status === 0) return plain(text("unreachable"));
  if (thrown.status === 401 || thrown.status === 403) return plain(text("unauthenticated"));
  if (thrown.status >= 500) return plain(text("unknown"));
  const fields = thrown.fields.map(({ path, message }) => `${path} ${message}`);
  return saidOf(PROBLEMS, thrown.code, [thrown.message, ...fields].join(" "));
}

/** Why an asset failed. */
export function failureOf({ code, message }: NonNullable<Asset["error"]>): Said {
  return saidOf(FAILURES, code, message);
}

/** What was found in its master. */
export function findingOf({ code, message }: Finding): Said {
  return saidOf(FINDINGS, code, message);
}

/** As content of a page: what the API said stands smaller below, and is read out as English. */
export function saidNodes({ words, isForeign, original }: Said): HTMLElement[] {
  return [
    element("span", { lang: isForeign ? "en" : undefined }, words),
    ...(original === null ? [] : [element("small", { class: "original", lang: "en" }, original)]),
  ];
}

/** Says in `place` why a request came to nothing. */
export function tellProblem(place: HTMLElement, thrown: unknown): void {
  place.replaceChildren(...saidNodes(problemOf(thrown)));
}

function saidOf(sentences: Readonly<Record<string, string>>, code: string, message: string): Said {
  return pageLanguage === "de" ? inGerman(sentences, code, message) : plain(message);
}
