import type { PlanSettings } from "./plan.ts";
import type { Sidecar } from "./sidecar.ts";
import type { AudioRole, PinnedSource, SourceAudio } from "./source.ts";

/** Which sound tracks a film gets. */

export interface AudioTrack {
  id: string;
  /** The file beside the master that it comes from; null where it is the master's own. */
  file: PinnedSource | null;
  streamIndex: number;
  /** As found in the file. */
  sourceChannels: number;
  /** BCP-47. */
  language: string;
  /** What a person is shown where the file names the track; null otherwise. */
  label: string | null;
  role: AudioRole;
  channels: 2 | 6;
  sampleRateHz: number;
  bitrateBps: number;
}

/** Apple 9.17: from the general to the specific. */
const ROLE_ORDER: readonly AudioRole[] = ["main", "commentary", "description"];

const SURROUND_CHANNELS = 6;

/** A sound track before it is decided what is made of it. */
type Sound = Pick<
  AudioTrack,
  "id" | "file" | "streamIndex" | "sourceChannels" | "language" | "label" | "role"
>;

export function ownSound(
  { streamIndex, channels, language, label, role }: SourceAudio,
  index: number,
): Sound {
  return { id: `a${index}`, file: null, streamIndex, sourceChannels: channels, language, label, role };
}

export function addedSound(sidecar: Sidecar): Sound[] {
  if (sidecar.kind !== "audio" || sidecar.sound === null) return [];
  const { id, key, etag, sizeBytes, sha256, language, label, role } = sidecar;
  const { streamIndex, channels: sourceChannels } = sidecar.sound;
  const file = { key, etag, sizeBytes, sha256 };
  return [{ id, file, streamIndex, sourceChannels, language, label, role }];
}

/** Apple 2.3: stereo always; 5.1 beside it where the source has at least that many channels. */
export function audioTracks(sounds: readonly Sound[], settings: PlanSettings): AudioTrack[] {
  const ordered = sounds.toSorted((a, b) => ROLE_ORDER.indexOf(a.role) - ROLE_ORDER.indexOf(b.role));
  const stereo = ordered.map(
    (sound): AudioTrack => ({
      ...sound,
      channels: 2,
      sampleRateHz: 48_000,
      bitrateBps: settings.audioBitrateBps,
    }),
  );
  const surround = ordered
    .filter(({ sourceChannels }) => sourceChannels >= SURROUND_CHANNELS)
    .map(
      (sound): AudioTrack => ({
        ...sound,
        id: `${sound.id}-51`,
        channels: 6,
        sampleRateHz: 48_000,
        bitrateBps: settings.surroundBitrateBps,
      }),
    );
  return [...stereo, ...surround];
}
