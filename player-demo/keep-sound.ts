import Hls from "hls.js";
import type HlsVideoElement from "hls-video-element";
import { type FilmTracks, type TrackKind, UNKNOWN_LANGUAGE } from "./track-choice.ts";

const REMEMBERED = "matinee-sound";

interface SoundTrack {
  id: string;
  enabled: boolean;
}

/** The element's list of sound, which the menu shows; its own types leave it out. */
interface SoundList {
  audioTracks: Iterable<SoundTrack>;
  addAudioTrack(kind: string, label: string, language?: string): SoundTrack;
  removeAudioTrack(track: SoundTrack): void;
}

/**
 * Plays the sound that the account wants, else the one that was last chosen here, where there is such a one; what is chosen is
 * remembered here and told of the account. The menu gets the tracks of the group that plays: the element lists those of all groups, so each would stand there once for stereo and
 * once for more channels. Returns how to end it.
 */
export function keepSound(
  hls: Hls,
  media: HlsVideoElement,
  frame: HTMLElement,
  tracks: FilmTracks,
): () => void {
  const list = media as unknown as SoundList;
  const wanted = tracks.sound(remembered());
  if (wanted !== null) hls.config.audioPreference = wanted;
  const mark = (id: number) => {
    for (const track of list.audioTracks) track.enabled = track.id === String(id);
  };
  hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, (_event, { audioTracks }) => {
    for (const track of [...list.audioTracks]) list.removeAudioTrack(track);
    for (const { id, name, lang } of audioTracks) {
      const track = list.addAudioTrack("alternative", name, lang);
      track.id = String(id);
    }
    mark(hls.audioTrack);
  });
  hls.on(Hls.Events.AUDIO_TRACK_SWITCHING, (_event, { id }) => mark(id));
  // What a person asks for, and not what the player comes to by itself.
  const onRequest = (event: Event) => {
    const track = hls.audioTracks[Number((event as CustomEvent<string>).detail)];
    if (track === undefined) return;
    const { lang = UNKNOWN_LANGUAGE, characteristics = "" } = track;
    localStorage.setItem(REMEMBERED, JSON.stringify({ lang, characteristics }));
    if (lang !== UNKNOWN_LANGUAGE) tracks.choose({ sound: lang });
  };
  frame.addEventListener("mediaaudiotrackrequest", onRequest);
  return () => frame.removeEventListener("mediaaudiotrackrequest", onRequest);
}

/** null where nothing was ever chosen. */
function remembered(): TrackKind | null {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED) ?? "null") as TrackKind | null;
  } catch {
    return null;
  }
}
