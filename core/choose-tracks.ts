import type { TrackPreferences } from "./records/account.ts";
import type { Rendition } from "./records/asset.ts";

/** The tracks that a player should choose at the start; null: none. */
export interface ChosenTracks {
  audioId: string | null;
  subtitleId: string | null;
}

const NO_PREFERENCES: TrackPreferences = { audio: [], subtitles: [] };
/** What players can be given without asking: two channels. */
const USUAL_CHANNELS = 2;

/**
 * Which sound and text an account is to hear and see. Sound: the first wanted language that there is, else the film's
 * own; of one language the film itself before talk over it, and as many channels as the device plays. Text: the first
 * wanted language with all lines; where nobody wants any, the lines that the film cannot be followed without, in the
 * language that is heard.
 */
export function chooseTracks(
  renditions: readonly Rendition[],
  preferences: TrackPreferences = NO_PREFERENCES,
  maxChannels: number = USUAL_CHANNELS,
): ChosenTracks {
  const sounds = renditions.filter(({ kind }) => kind === "audio");
  const audio = chooseSound(sounds, preferences.audio, Math.max(USUAL_CHANNELS, maxChannels));
  // A track that nothing could be read of is no help.
  const texts = renditions.filter(({ kind, cueCount }) => kind === "subtitle" && cueCount !== 0);
  const wanted = preferences.forcedOnly === true ? null : chooseText(texts, preferences.subtitles);
  const forced = texts.filter(({ role }) => role === "forced");
  const needed = inLanguage(forced, audio?.language ?? "")[0];
  return { audioId: audio?.id ?? null, subtitleId: (wanted ?? needed)?.id ?? null };
}

function chooseSound(
  sounds: readonly Rendition[],
  wanted: readonly string[],
  most: number,
): Rendition | null {
  const playable = sounds.filter(({ channels = USUAL_CHANNELS }) => channels <= most);
  const from = playable.length > 0 ? playable : sounds;
  const first = from.find(isFilm) ?? from[0];
  const ofLanguage = wanted.map((language) => inLanguage(from, language)).find((list) => list.length > 0);
  const list = ofLanguage ?? from.filter(({ language }) => language === first?.language);
  const films = list.filter(isFilm);
  const best = films.length > 0 ? films : list;
  // The first one of the most channels: tracks stand in the order of the master.
  return best.reduce<Rendition | null>(
    (chosen, one) => (chosen === null || (one.channels ?? 0) > (chosen.channels ?? 0) ? one : chosen),
    null,
  );
}

function isFilm({ role = "main" }: Rendition): boolean {
  return role === "main";
}

function chooseText(texts: readonly Rendition[], wanted: readonly string[]): Rendition | null {
  const whole = texts.filter(({ role }) => role !== "forced" && role !== "commentary");
  for (const language of wanted) {
    const found = inLanguage(whole, language);
    const chosen = found.find(isFilm) ?? found[0];
    if (chosen !== undefined) return chosen;
  }
  return null;
}

/** RFC 4647 3.4, lookup: that very tag, else any of the same primary language. */
function inLanguage(tracks: readonly Rendition[], wanted: string): Rendition[] {
  const tag = wanted.toLowerCase();
  const exact = tracks.filter(({ language }) => language?.toLowerCase() === tag);
  if (exact.length > 0) return exact;
  const primary = tag.split("-")[0];
  return tracks.filter(({ language }) => primary !== "" && language?.toLowerCase().split("-")[0] === primary);
}
