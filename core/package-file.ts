import type { ContentProtection } from "./clear-key.ts";

/** A playlist or manifest of the package: its path below the package's prefix and its text. */
export interface PackageFile {
  path: string;
  text: string;
}

/** What all media playlists of a package have in common. */
export interface Shared {
  /** Target duration, in seconds. */
  target: number;
  protection: ContentProtection | undefined;
}
