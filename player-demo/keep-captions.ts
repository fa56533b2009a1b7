import Hls, { type MediaPlaylist } from "hls.js";

const REMEMBERED = "matinee-captions";
/** What a person asks for by button, menu or key; the player's own changes of tracks ask nothing. */
const REQUESTS = [
  "mediashowsubtitlesrequest",
  "mediadisablesubtitlesrequest",
  "mediatogglesubtitlesrequest",
] as const;

interface Choice {
  lang: string;
  characteristics?: string;
}

/**
 * Shows text as it was last wanted here, in this film and the next. Where none is wanted it shows the forced lines of
 * the language that is heard, if there are any (8216bis 4.4.6.1, FORCED). Returns how to end it.
 */
export function keepCaptions(hls: Hls, video: HTMLVideoElement, frame: HTMLElement): () => void {
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
    remember(shown);
    if (shown === undefined) showForced();
  };
  hls.on(Hls.Events.MANIFEST_PARSED, (_event, { audioTracks, subtitleTracks }) => {
    const lang = audioTracks.find((track) => track.default)?.lang;
    const wanted = remembered();
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
function remember(shown: MediaPlaylist | undefined): void {
  if (shown === undefined || shown.forced) localStorage.removeItem(REMEMBERED);
  else {
    const { lang = "und", characteristics } = shown;
    const choice: Choice = { lang, ...(characteristics ? { characteristics } : {}) };
    localStorage.setItem(REMEMBERED, JSON.stringify(choice));
  }
}

function remembered(): Choice | null {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED) ?? "null") as Choice | null;
  } catch {
    return null;
  }
}
