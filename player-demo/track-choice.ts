import type { Playback, TrackPreferences } from "./api-client.ts";

/** What a person chose; what they left as it was is absent. Languages by BCP-47 tag. */
export interface TrackChoice {
  sound?: string;
  /** null: none but the lines that the film cannot be followed without. */
  text?: string | null;
}

/** What tells a track in one film and the next: its language and what it is for (talk over the film, plain speech). */
export interface TrackKind {
  lang: string;
  characteristics?: string;
}

/** Of one film: what it begins with, `remembered` being what was last chosen here, and who is told of a choice. */
export interface FilmTracks {
  sound(remembered: TrackKind | null): TrackKind | null;
  text(remembered: TrackKind | null): TrackKind | null;
  choose(choice: TrackChoice): void;
}

type Shown = Pick<Playback, "tracks" | "selected">;

/** Of a track whose language nobody said; no account can want it. */
export const UNKNOWN_LANGUAGE = "und";
/** As many as the API keeps. */
const MOST = 20;

/** What the account wants after a choice: that before all else; what it wanted until then is tried after it. */
export function withChoice(preferences: TrackPreferences, { sound, text }: TrackChoice): TrackPreferences {
  const { audio, subtitles, forcedOnly = false } = preferences;
  const isForcedOnly = text === undefined ? forcedOnly : text === null;
  return {
    audio: foremost(sound, audio),
    subtitles: foremost(text ?? undefined, subtitles),
    ...(isForcedOnly ? { forcedOnly: true } : {}),
  };
}

/**
 * The sound to ask for at the start, `remembered` being the last one chosen here; null: the film's default, which is the
 * account's where it wants one. Of the account's language the one chosen here, whose purpose the account does not say.
 */
export function soundAtStart(
  { tracks, selected }: Shown,
  preferences: TrackPreferences | null,
  remembered: TrackKind | null,
): TrackKind | null {
  if (preferences === null || preferences.audio.length === 0) return remembered;
  const chosen = tracks.find(({ id }) => id === selected.audioId);
  return remembered !== null && remembered.lang === chosen?.language ? remembered : null;
}

/** The text to show at the start, in the same way; null: none but the forced lines. */
export function textAtStart(
  { tracks, selected }: Shown,
  preferences: TrackPreferences | null,
  remembered: TrackKind | null,
): TrackKind | null {
  const { subtitles = [], forcedOnly = false } = preferences ?? {};
  if (subtitles.length === 0 && !forcedOnly) return remembered;
  const chosen = tracks.find(({ id }) => id === selected.subtitleId);
  if (chosen?.language === undefined || chosen.role === "forced") return null;
  return remembered?.lang === chosen.language ? remembered : { lang: chosen.language };
}

function foremost(language: string | undefined, wanted: readonly string[]): string[] {
  if (language === undefined) return [...wanted];
  const others = wanted.filter((one) => one.toLowerCase() !== language.toLowerCase());
  return [language, ...others].slice(0, MOST);
}
