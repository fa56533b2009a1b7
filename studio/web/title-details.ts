import type { Chapter, Title } from "../answers.ts";
import { readChapters, writeChapters } from "../chapter-lines.ts";
import { element } from "./element.ts";
import { labelled } from "./form-parts.ts";
import { pageLanguage, text } from "./strings.ts";

/** What viewers read of a film beside its name. */
export interface Details {
  synopsis: Record<string, string>;
  genres: string[];
  cast: string[];
  releaseYear: number | null;
  maturity: string | null;
  chapters: Chapter[];
  number: number | null;
}

const FIRST_FILM_YEAR = "1870";
const LAST_YEAR = "2200";
const MOST_PARTS = "10000";

/** Fields for the details of a title, folded away until wanted. */
export function titleDetails() {
  const synopsis = element("textarea", { id: "title-synopsis", rows: "3", maxlength: "5000" });
  const genres = element("input", { id: "title-genres", maxlength: "500" });
  const cast = element("input", { id: "title-cast", maxlength: "2000" });
  const year = element("input", { id: "title-year", type: "number", min: FIRST_FILM_YEAR, max: LAST_YEAR });
  const number = element("input", { id: "title-number", type: "number", min: "1", max: MOST_PARTS });
  const numbered = labelled("number", number);
  numbered.hidden = true;
  const maturity = element("input", { id: "title-maturity", maxlength: "20" });
  const chapters = element("textarea", {
    id: "title-chapters",
    rows: "3",
    placeholder: text("chapterLines"),
  });
  const written = () => readChapters(chapters.value, pageLanguage, shown.chapters ?? []);
  chapters.addEventListener("input", () => {
    chapters.setCustomValidity(written() === null ? text("chapterFault") : "");
  });
  const root = element(
    "details",
    { class: "title-details" },
    element("summary", {}, text("details")),
    numbered,
    labelled("synopsis", synopsis),
    labelled("genres", genres),
    labelled("cast", cast),
    element("div", { class: "pair" }, labelled("year", year), labelled("maturity", maturity)),
    labelled("chapters", chapters),
  );
  let shown: Partial<Title> = {};
  return {
    root,
    show(title: Title) {
      shown = title;
      synopsis.value = title.synopsis?.[pageLanguage] ?? title.synopsis?.en ?? "";
      genres.value = title.genres?.join(", ") ?? "";
      cast.value = title.cast?.join(", ") ?? "";
      year.value = title.releaseYear?.toString() ?? "";
      maturity.value = title.maturity ?? "";
      number.value = title.number?.toString() ?? "";
      numbered.hidden = title.type !== "season" && title.type !== "episode";
      chapters.value = writeChapters(title.chapters ?? [], pageLanguage);
      chapters.setCustomValidity("");
    },
    /** What the fields say and the title does not say yet. */
    changes(): Partial<Details> {
      const { [pageLanguage]: _old, ...otherLanguages } = shown.synopsis ?? {};
      const words = synopsis.value.trim();
      const wanted: Details = {
        synopsis: words === "" ? otherLanguages : { ...otherLanguages, [pageLanguage]: words },
        genres: wordsOf(genres.value),
        cast: wordsOf(cast.value),
        releaseYear: year.value === "" ? null : Number(year.value),
        maturity: maturity.value.trim() || null,
        chapters: written() ?? shown.chapters ?? [],
        number: number.value === "" ? null : Number(number.value),
      };
      return differences(wanted, shown);
    },
  };
}

function differences(wanted: Details, shown: Partial<Title>): Partial<Details> {
  const none: Details = {
    synopsis: {},
    genres: [],
    cast: [],
    releaseYear: null,
    maturity: null,
    chapters: [],
    number: null,
  };
  const before = { ...none, ...shown };
  const changed = Object.entries(wanted).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof Details]),
  );
  return Object.fromEntries(changed);
}

function wordsOf(list: string): string[] {
  const words = list.split(",").map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ""))];
}
