import { TEXT_CODECS } from "./accepted-media.ts";
import type { Finding } from "./records/asset.ts";
import type { Sidecar, SubtitleFormat } from "./sidecar.ts";
import type { PinnedSource, Source, SourceSubtitle, SubtitleRole } from "./source.ts";

/** Where the lines of a track come from: a stream of the master, or a file beside it. */
export type SubtitleOrigin =
  | { file: null; streamIndex: number; codec: string }
  | { file: PinnedSource; format: SubtitleFormat };

export interface SubtitleTrack {
  id: string;
  origin: SubtitleOrigin;
  /** Forced tracks of its language, whose lines a regular track has too (Apple 5.8). */
  included: SubtitleOrigin[];
  /** BCP-47. */
  language: string;
  /** What a person is shown where the file names the track; null otherwise. */
  label: string | null;
  role: SubtitleRole;
}

type PlainTrack = Omit<SubtitleTrack, "included">;

/** Apple 9.17: from the general to the specific. */
const ROLE_ORDER: readonly SubtitleRole[] = ["main", "commentary", "sdh", "forced"];

/** A track of every text in the master and beside it; what is no text is left to `subtitleFindings`. */
export function subtitleTracks(
  source: Pick<Source, "subtitles">,
  sidecars: readonly Sidecar[],
): SubtitleTrack[] {
  const tracks = [...source.subtitles.flatMap(ownText), ...sidecars.flatMap(addedText)].toSorted(
    (a, b) => ROLE_ORDER.indexOf(a.role) - ROLE_ORDER.indexOf(b.role),
  );
  const forced = tracks.filter(({ role }) => role === "forced");
  return tracks.map((track) => ({
    ...track,
    included:
      track.role === "forced"
        ? []
        : forced.filter(({ language }) => language === track.language).map(({ origin }) => origin),
  }));
}

function ownText({ streamIndex, codec, ...about }: SourceSubtitle, index: number): PlainTrack[] {
  if (!TEXT_CODECS.has(codec)) return [];
  return [{ id: `t${index}`, origin: { file: null, streamIndex, codec }, ...about }];
}

function addedText(sidecar: Sidecar): PlainTrack[] {
  if (sidecar.kind !== "subtitle") return [];
  const { id, key, etag, sizeBytes, sha256, format, language, label, role } = sidecar;
  return [{ id, origin: { file: { key, etag, sizeBytes, sha256 }, format }, language, label, role }];
}

/** Tracks of the master that no text can be made of: told, never a reason to refuse the film. */
export function subtitleFindings({ subtitles }: Pick<Source, "subtitles">): Finding[] {
  return subtitles
    .filter(({ codec }) => !TEXT_CODECS.has(codec))
    .map(({ codec, language, streamIndex }) => ({
      code: "subtitle_not_convertible",
      severity: "info",
      message: `Subtitle track ${streamIndex} (${language}, ${codec}) is no text and is left out: send its text as a file.`,
    }));
}
