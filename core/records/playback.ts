import type { RevocationKind } from "../revocation.ts";

/**
 * One viewer watching one title. `_id` is the `session` of every grant minted for it: a `ps_` id, or a `pv_` id where
 * an editor previews.
 */
export interface PlaybackRecord {
  _id: string;
  tenant: string;
  subject: string;
  /** null where an editor previews an asset that is not published. */
  titleId: string | null;
  assetId: string;
  generation: string;
  /** Of what is shown before the package is ready. */
  isPreview?: boolean;
  /** The multivariant playlist that fits the device, below the package; absent where it is the whole one. */
  manifest?: string;
  /** The key that its media is under, where it is protected: the only one that the session is given. */
  keyId?: string;
  /** Where the viewer was when it began; absent where nobody knew. */
  country?: string;
  createdAt: Date;
  expiresAt: Date;
  /** When the grant given at the start ends; the later ones end five minutes after they are asked for. */
  firstGrantExpiresAt: Date;
  endedAt: Date | null;
}

/** Something called back before its grants end. `_id` is `<kind>:<name>`. */
export interface RevocationRecord {
  _id: string;
  kind: RevocationKind;
  name: string;
  revokedAt: Date;
  /** When it may be forgotten, since no grant that it could refuse is good any more; null is never. */
  until: Date | null;
}

/** The key that an asset's media is under. `_id` is the asset's: one key for all its generations. */
export interface ContentKeyRecord {
  _id: string;
  tenant: string;
  /** Names the key in playlists, boxes and licences. */
  keyId: string;
  /** The key itself, under a master key that is in no record (core/content-key.ts). */
  sealed: string;
  createdAt: Date;
}

/** Where an account left a title. `_id` is made of tenant, account and title, so that it is read by its id. */
export interface PositionRecord {
  _id: string;
  tenant: string;
  subject: string;
  titleId: string;
  positionSeconds: number;
  /** When the player was there: a report of an earlier moment changes nothing. */
  positionAt: Date;
  /** Which session said so, and when by its own clock; absent from records of an older release. */
  sessionId?: string;
  saidAt?: Date;
}
