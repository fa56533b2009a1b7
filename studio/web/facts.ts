import type { Asset, LedgerEntry, Rendition, SourceFacts } from "../answers.ts";
import { formatBytes, formatClock } from "../pace.ts";
import { element } from "./element.ts";
import { numberText, pageLanguage, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";
import { table } from "./table.ts";

/** What was found in the master. */
export function sourceFacts(source: SourceFacts): HTMLElement {
  const { video, audio, subtitles } = source;
  const rate = Number(video.frameRate.toFixed(3));
  const sound = audio.map(({ codec, channels, language }) =>
    [languageName(language), codec, channels === undefined ? "" : text("channels", { count: channels })]
      .filter((part) => part !== "")
      .join(", "),
  );
  const facts: [StringKey, string][] = [
    ["picture", `${video.width}×${video.height}, ${rate} fps, ${video.codec}`],
    ["sound", sound.join("; ") || "–"],
    ["subtitles", subtitles.map(({ codec, language }) => languageName(language) || codec).join(", ") || "–"],
    ["duration", formatClock(source.durationSeconds)],
    ["size", formatBytes(source.sizeBytes, pageLanguage)],
    ["container", source.container],
  ];
  const entries = facts.flatMap(([key, value]) => [element("dt", {}, text(key)), element("dd", {}, value)]);
  return element("dl", { class: "facts-list" }, ...entries);
}

/** A language in the words of the page; empty where it is not known. */
export function languageName(language: string | undefined): string {
  if (language === undefined || language === "und") return "";
  try {
    return new Intl.DisplayNames(pageLanguage, { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}

/** Pictures are called by their size. */
const KIND_NAMES: Record<Exclude<Rendition["kind"], "video">, StringKey> = {
  audio: "kindAudio",
  subtitle: "kindSubtitle",
  image: "kindImage",
};
const KINDS: readonly Rendition["kind"][] = ["video", "audio", "subtitle", "image"];

/** What was made, best picture first. */
export function renditionTable(renditions: readonly Rendition[]): HTMLElement {
  const ordered = renditions.toSorted(
    (a, b) =>
      KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
      (b.height ?? 0) - (a.height ?? 0) ||
      b.averageBps - a.averageBps,
  );
  return table(
    [text("rendition"), text("codec"), text("average"), text("peak"), text("size"), text("quality")],
    ordered.map(
      ({ id, kind, codec, width, height, language, label, averageBps, peakBps, bytes, ...scores }) => [
        kind === "video"
          ? `${width}×${height}`
          : [label ?? languageName(language), text(KIND_NAMES[kind])].filter(Boolean).join(" ") || id,
        codec,
        kind === "image" ? "–" : bitRate(averageBps),
        kind === "image" ? "–" : bitRate(peakBps),
        formatBytes(bytes, pageLanguage),
        scoreText(scores),
      ],
    ),
  );
}

/** The picture's measured likeness to its source, how loud the sound came out, or how many lines a text has. */
function scoreText({
  quality,
  isCopied,
  loudnessLufs,
  cueCount,
}: Pick<Rendition, "quality" | "isCopied" | "loudnessLufs" | "cueCount">): string {
  if (cueCount !== undefined) return text("lines", { count: cueCount });
  if (isCopied) return text("asTheMaster");
  if (quality !== undefined) return `${quality.metric.toUpperCase()} ${numberText(quality.mean, 3)}`;
  return loudnessLufs === undefined ? "–" : `${numberText(loudnessLufs, 1)} LUFS`;
}

export function ledgerTable(entries: readonly LedgerEntry[]): HTMLElement {
  return table(
    [
      text("stage"),
      text("outcome"),
      text("started"),
      text("took"),
      text("cpu"),
      text("written"),
      text("worker"),
      "",
    ],
    entries.map(({ stage, outcome, startedAt, endedAt, cpuSeconds, bytesOut, worker, argv, error }) => [
      stage,
      error ? `${outcome}: ${error.code}` : outcome,
      new Date(startedAt).toLocaleTimeString(),
      endedAt === null ? "–" : `${numberText((Date.parse(endedAt) - Date.parse(startedAt)) / 1000, 1)} s`,
      cpuSeconds === undefined ? "–" : `${numberText(cpuSeconds, 1)} s`,
      bytesOut === undefined ? "–" : formatBytes(bytesOut, pageLanguage),
      worker,
      argv === undefined || argv.length === 0 ? "" : commandOf(argv),
    ]),
  );
}

function commandOf(argv: string[][]): HTMLElement {
  const lines = argv.map((words) => words.map(quoted).join(" ")).join("\n\n");
  return element(
    "details",
    { class: "command" },
    element("summary", {}, text("command")),
    element("pre", { tabindex: "0" }, lines),
  );
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function bitRate(bitsPerSecond: number): string {
  return bitsPerSecond >= 1e6
    ? `${numberText(bitsPerSecond / 1e6, 2)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

/** What changes of an asset that these tables show: drawn anew only then. */
export function factsKey({ source, renditions, ladder, findings, state }: Asset): string {
  return JSON.stringify([source, renditions, ladder, findings, state]);
}
