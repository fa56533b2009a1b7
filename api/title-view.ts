import { z } from "@hono/zod-openapi";
import { titleStateAt } from "../core/availability.ts";
import { LANGUAGE_TAG } from "../core/language-name.ts";
import { CHAPTER_KINDS, type Localized, type TitleRecord } from "../core/records/title.ts";
import type { CatalogAsset } from "../stores/library/catalog-source.ts";
import { instant } from "./contract.ts";

export const titleTypes = z.enum(["movie", "series", "season", "episode"]);
const titleStates = z.enum(["draft", "scheduled", "published", "unpublished"]);

/** What a text without a language is taken for. */
const DEFAULT_LANGUAGE = "en";

/** A text by language, or one text, which then stands for English. */
function localized(maxLength: number) {
  const text = z.string().trim().min(1).max(maxLength);
  const byLanguage = z
    .record(z.string().regex(LANGUAGE_TAG), text)
    .refine(
      (texts) => Object.keys(texts).length >= 1 && Object.keys(texts).length <= 50,
      "needs 1 to 50 languages",
    );
  return z.union([
    text.transform((one): Localized => ({ [DEFAULT_LANGUAGE]: one })),
    z.preprocess(refusePrototype, byLanguage),
  ]);
}

/** Zod leaves this key out of a record without a word, and the text with it. */
function refusePrototype(texts: unknown, context: z.RefinementCtx): unknown {
  if (typeof texts === "object" && texts !== null && Object.hasOwn(texts, "__proto__"))
    context.addIssue({ code: "custom", path: ["__proto__"], message: "is not a language" });
  return texts;
}

const chapter = z.strictObject({
  startSeconds: z.number().min(0).max(1_000_000),
  name: localized(200),
  kind: z.enum(CHAPTER_KINDS).nullable().default(null),
});
const chapters = z
  .array(chapter)
  .max(500)
  .refine(
    (all) =>
      all.every(({ startSeconds }, index) => index === 0 || startSeconds > all[index - 1]!.startSeconds),
    "must start one after the other",
  );

const word = z.string().trim().min(1).max(100);
const content = {
  name: localized(300),
  synopsis: z.union([localized(5_000), z.strictObject({}).transform((): Localized => ({}))]),
  genres: z.array(word).max(20),
  cast: z.array(word).max(200),
  releaseYear: z.number().int().min(1870).max(2200).nullable(),
  maturity: z.string().trim().min(1).max(20).nullable(),
  artwork: z.strictObject({
    posterUrl: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .nullable(),
  }),
  chapters,
  assetId: z.string().min(1).max(100).nullable(),
  parentId: z.string().min(1).max(100).nullable(),
  /** Of a season or an episode: they are in its order, before those that have none. */
  number: z.number().int().min(1).max(10_000).nullable(),
};

export const newTitle = z
  .strictObject({
    type: titleTypes.default("movie"),
    ...z.object(content).partial().shape,
    name: content.name,
  })
  .openapi("NewTitle");
export const titlePatch = z.strictObject(z.object(content).partial().shape).openapi("TitlePatch");

export const titleView = z
  .object({
    id: z.string(),
    state: titleStates,
    version: z.number().int(),
    type: titleTypes,
    name: z.record(z.string(), z.string()),
    synopsis: z.record(z.string(), z.string()),
    genres: z.array(z.string()),
    cast: z.array(z.string()),
    releaseYear: z.number().int().nullable(),
    maturity: z.string().nullable(),
    artwork: z.object({ posterUrl: z.string().nullable() }),
    chapters: z.array(
      z.object({
        startSeconds: z.number(),
        name: z.record(z.string(), z.string()),
        kind: z.enum(CHAPTER_KINDS).nullable(),
      }),
    ),
    assetId: z.string().nullable(),
    parentId: z.string().nullable(),
    number: z.number().int().nullable(),
    availableFrom: instant.nullable(),
    availableUntil: instant.nullable(),
    regions: z.array(z.string()).nullable(),
    createdAt: instant,
    updatedAt: instant,
    publishedAt: instant.nullable(),
  })
  .openapi("Title");
export type TitleView = z.infer<typeof titleView>;

export const chapterView = z
  .object({ startSeconds: z.number(), name: z.string(), kind: z.enum(CHAPTER_KINDS).nullable() })
  .openapi("Chapter");

/** The title as its editors see it, in the state it is in now. */
export function presentTitle(title: TitleRecord, now: Date): z.infer<typeof titleView> {
  const { _id, tenant: _tenant, outbox: _outbox, tellAt: _tellAt, ...rest } = title;
  return {
    ...rest,
    chapters: rest.chapters ?? [],
    number: rest.number ?? null,
    id: _id,
    state: titleStateAt(title, now),
    availableFrom: title.availableFrom?.toISOString() ?? null,
    availableUntil: title.availableUntil?.toISOString() ?? null,
    createdAt: title.createdAt.toISOString(),
    updatedAt: title.updatedAt.toISOString(),
    publishedAt: title.publishedAt?.toISOString() ?? null,
  };
}

/** The text in the first of the wanted languages that there is, else English, else any; "" where there is none. */
export function inLanguage(texts: Localized, wanted: readonly string[]): string {
  const tags = Object.keys(texts);
  for (const language of [...wanted, DEFAULT_LANGUAGE]) {
    const exact = tags.find((tag) => tag.toLowerCase() === language.toLowerCase());
    // RFC 4647 §3.4, lookup: a range falls back to its primary language, and any region of it will do.
    const primary = language.split("-")[0]?.toLowerCase();
    const near = exact ?? tags.find((tag) => tag.split("-")[0]?.toLowerCase() === primary);
    if (near !== undefined) return texts[near] ?? "";
  }
  return Object.values(texts)[0] ?? "";
}

/**
 * A title's chapters as a viewer is told of them, as far as the film goes: what its editors say, else what its master
 * brought along.
 */
export function chaptersOf(
  title: TitleRecord,
  asset: Pick<CatalogAsset, "published" | "source"> | null,
  wanted: readonly string[],
): z.infer<typeof chapterView>[] {
  const durationSeconds = asset?.published?.durationSeconds ?? 0;
  const brought = asset?.source?.facts?.chapters ?? [];
  const chapters =
    title.chapters?.map(({ name, ...chapter }) => ({ ...chapter, name: inLanguage(name, wanted) })) ??
    brought.map((chapter) => ({ ...chapter, kind: null }));
  return chapters.filter(({ startSeconds }) => startSeconds < durationSeconds);
}

/** The languages of an Accept-Language header, most wanted first (RFC 9110 §12.5.4). */
export function acceptedLanguages(header: string | undefined): string[] {
  const ranges = (header ?? "")
    .slice(0, 500)
    .split(",")
    .map((entry) => {
      const [range = "", quality] = entry.trim().split(/\s*;\s*q=/i);
      return { range: range.trim(), quality: quality === undefined ? 1 : Number(quality) };
    });
  return ranges
    .filter(({ range, quality }) => LANGUAGE_TAG.test(range) && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ range }) => range);
}
