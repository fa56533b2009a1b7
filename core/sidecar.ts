import type { AudioRole, PinnedSource, SubtitleRole } from "./source.ts";

/**
 * Files beside the master: subtitles and sound that were added to an asset. Each is an object of its own in the sources
 * bucket, pinned by its ETag; the plan is made from the master and from these.
 */

/** How a text of a sidecar is written: said by whoever sent it, so still to be checked. */
export type SubtitleFormat = "vtt" | "srt" | "ass";

interface SidecarFile extends PinnedSource {
  /** An `sc_` id, the same for as long as the file is: another file in its place has another one. */
  id: string;
  /** BCP-47. */
  language: string;
  /** What a person is shown; null lets the language stand for it. */
  label: string | null;
  createdAt: Date;
}

export interface SubtitleSidecar extends SidecarFile {
  kind: "subtitle";
  role: SubtitleRole;
  format: SubtitleFormat;
}

export interface AudioSidecar extends SidecarFile {
  kind: "audio";
  role: AudioRole;
  /** What the probe found in it; null until it has looked. */
  sound: SidecarSound | null;
}

export type Sidecar = SubtitleSidecar | AudioSidecar;

/** The one sound track of a sidecar that is used: the first. */
export interface SidecarSound {
  streamIndex: number;
  codec: string;
  channels: number;
  sampleRateHz: number;
  durationSeconds: number;
}

/** What another file of the same kind, language, role and name takes the place of. */
export function isSameTrack(
  one: Pick<Sidecar, "kind" | "language" | "role" | "label">,
  other: Pick<Sidecar, "kind" | "language" | "role" | "label">,
): boolean {
  return (
    one.kind === other.kind &&
    one.language.toLowerCase() === other.language.toLowerCase() &&
    one.role === other.role &&
    one.label === other.label
  );
}

/** The files with this one among them, in the place of the one it replaces; null where it is there already. */
export function withSidecar(sidecars: readonly Sidecar[], added: Sidecar): Sidecar[] | null {
  if (sidecars.some(({ id }) => id === added.id)) return null;
  const at = sidecars.findIndex((one) => isSameTrack(one, added));
  return at < 0 ? [...sidecars, added] : sidecars.with(at, added);
}
