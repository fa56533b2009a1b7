import Hls, { type MediaPlaylist } from "hls.js";
import { type FilmTracks, type TrackKind, UNKNOWN_LANGUAGE } from "./track-choice.ts";

const REMEMBERED = "matinee-captions";
/** What a person asks for by button, menu or key; the player's own changes of tracks ask nothing. */
const REQUESTS = [
  "mediashowsubtitlesrequest",
  "mediadisablesubtitlesrequest",
  "mediatogglesubtitlesrequest",
] as const;

/**
 * Shows the text that the account wants, else the one that was last wanted here; what is chosen is remembered here and told of the
 * account. Where none is wanted it shows the forced lines of the language that is heard, if there are any (8216bis
 * 4.4.6.1, FORCED). Returns how to end it.
 */
export function keepCaptions(
  hls: Hls,
  video: HTMLVideoElement,
  frame: HTMLElement,
  tracks: FilmTracks,
): () => void {
  let isAsked = false;
  const ask = () => {
    isAsked = true;
  };
  const heard = (): string | undefined =>
    (hls.audioTracks[hls.audioTrack] ?? hls.audioTracks.find((track) => track.default))?.lang;
  const forcedOf = (tracks: readonly MediaPlaylist[]) =>
    tracks.find(({ forced, lang }) => forced && lang === heard());
  const showForced = () => {
    const track = forcedOf(hls.subtitleTracks);
    if (track === undefined) return;
    hls.subtitleDisplay = true;
    hls.subtitleTrack = track.id;
  };
  const onChange = () => {
    if (!isAsked) return;
    isAsked = false;
    const shown = hls.subtitleTracks.find(({ trackNode }) => trackNode?.track.mode === "showing");
    remember(shown, tracks);
    if (shown === undefined) showForced();
  };
  hls.on(Hls.Events.MANIFEST_PARSED, (_event, { audioTracks, subtitleTracks }) => {
    const lang = audioTracks.find((track) => track.default)?.lang;
    const wanted = tracks.text(remembered());
    const isThere = subtitleTracks.some((track) => !track.forced && track.lang === wanted?.lang);
    hls.config.subtitlePreference = isThere ? { ...wanted, forced: false } : { lang, forced: true };
  });
  hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, () => {
    const current = hls.subtitleTracks[hls.subtitleTrack];
    if (current?.forced === true && current.lang !== heard()) hls.subtitleTrack = -1;
    if (hls.subtitleTrack === -1) showForced();
  });
  for (const name of REQUESTS) frame.addEventListener(name, ask);
  video.textTracks.addEventListener("change", onChange);
  return () => {
    for (const name of REQUESTS) frame.removeEventListener(name, ask);
    video.textTracks.removeEventListener("change", onChange);
  };
}

/** Forced lines are nobody's choice: to take them is to want no others. */
function remember(shown: MediaPlaylist | undefined, tracks: FilmTracks): void {
  if (shown === undefined || shown.forced) {
    localStorage.removeItem(REMEMBERED);
    tracks.choose({ text: null });
    return;
  }
  const { lang = UNKNOWN_LANGUAGE, characteristics } = shown;
  const kind: TrackKind = { lang, ...(characteristics ? { characteristics } : {}) };
  localStorage.setItem(REMEMBERED, JSON.stringify(kind));
  if (lang !== UNKNOWN_LANGUAGE) tracks.choose({ text: lang });
}

function remembered(): TrackKind | null {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED) ?? "null") as TrackKind | null;
  } catch {
    return null;
  }
}
