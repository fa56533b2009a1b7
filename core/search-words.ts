/** How words of a search answer to words of a title. */

/** What a word of a title is worth: it is the wanted one, begins with it, or is one slip away from doing so. */
const WHOLE = 3;
const BEGINNING = 2;
const SLIP = 1;
/** A slip in a shorter word makes another word. */
const SHORTEST_WITH_SLIP = 4;

/** Lower case without accents, in words: what is searched and what is searched for. */
export function foldWords(text: string): string[] {
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

/** 3 for the word itself, 2 for one that begins with it, 1 for one that does so but for one slip, 0 for any other. */
export function wordScore(own: string, wanted: string): number {
  if (own.startsWith(wanted)) return own.length === wanted.length ? WHOLE : BEGINNING;
  if (wanted.length < SHORTEST_WITH_SLIP || !beginsNear(own, wanted)) return 0;
  const beginnings = [-1, 0, 1].map((more) => own.slice(0, wanted.length + more));
  return beginnings.some((beginning) => oneSlip(beginning, wanted)) ? SLIP : 0;
}

/** Whether one slip may lie between them, by two letters of each: most words of a catalog are told apart by that. */
function beginsNear(own: string, wanted: string): boolean {
  return own[0] === wanted[0] || own[1] === wanted[1] || own[1] === wanted[0] || own[0] === wanted[1];
}

/** Whether the texts differ by at most one letter changed, added or left out, or two neighbours swapped. */
export function oneSlip(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const restA = a.slice(start);
  const restB = b.slice(start);
  if (restA.slice(1) === restB.slice(1)) return true;
  if (restA.slice(1) === restB || restA === restB.slice(1)) return true;
  return restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
}
