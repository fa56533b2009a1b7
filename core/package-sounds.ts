import { INIT_NAME, MEDIA_PLAYLIST_NAME, trackFolder } from "./keys.ts";
import { languageName } from "./language-name.ts";
import type { MpdAudio } from "./mpd.ts";
import type { Shared } from "./package-file.ts";
import type { AudioTrack } from "./plan-sounds.ts";
import { mediaPlaylist } from "./playlist.ts";
import { entries, measure, type ProducedTrack, timing, totalBytes } from "./produced-track.ts";
import type { Rendition } from "./records/asset.ts";
import type { AudioRendition } from "./renditions.ts";

/** What a package says of its sound tracks, and what they are called. */

export function describeAudio(
  plan: AudioTrack,
  name: string,
  track: ProducedTrack,
  { target, protection }: Shared,
) {
  const uri = trackFolder("audio", plan.id) + MEDIA_PLAYLIST_NAME;
  const measured = measure(track, target);
  const rendition: AudioRendition = {
    uri,
    name,
    language: plan.language,
    role: plan.role,
    codec: track.codec,
    channels: plan.channels,
    measured,
  };
  const text = mediaPlaylist({
    initUri: INIT_NAME,
    timescale: track.timescale,
    segments: entries(track),
    targetDurationSeconds: target,
    protection,
  });
  const record: Rendition = {
    id: plan.id,
    kind: "audio",
    codec: track.codec,
    language: plan.language,
    label: name,
    role: plan.role,
    channels: plan.channels,
    ...(track.loudnessLufs == null ? {} : { loudnessLufs: track.loudnessLufs }),
    ...measured,
    bytes: totalBytes(track),
  };
  const { channels, sampleRateHz, language, role } = plan;
  const dash: MpdAudio = {
    id: plan.id,
    codec: track.codec,
    language,
    label: name,
    role,
    channels,
    sampleRateHz,
    ...timing(track),
    measured,
  };
  return { rendition, files: [{ path: uri, text }], record, dash };
}

/**
 * By stream of a file, so that stereo and 5.1 of one track are called the same (8216bis 4.4.6.1.1): the track's own
 * name, or its language in that language; numbered where two would be called the same.
 */
export function audioNames(tracks: readonly AudioTrack[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const track of tracks) {
    if (names.has(soundOf(track))) continue;
    const plain = nameOf(track);
    let name = plain;
    for (let number = names.size + 1; taken.has(name); number++) name = `${plain} ${number}`;
    names.set(soundOf(track), name);
    taken.add(name);
  }
  return names;
}

export function soundOf({ file, streamIndex }: AudioTrack): string {
  return `${file?.key ?? "master"} ${streamIndex}`;
}

const ROLE_WORDS = { main: "", commentary: " (commentary)", description: " (audio description)" };

function nameOf({ label, language, role }: Pick<AudioTrack, "label" | "language" | "role">): string {
  return label || languageName(language) + ROLE_WORDS[role];
}
