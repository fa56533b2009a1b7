export type Role = "viewer" | "editor" | "admin";

/** Who asks: from a verified token. `subject` names the account within its tenant. */
export interface Caller {
  tenant: string;
  subject: string;
  role: Role;
  /** ISO 3166-1 alpha-2 in capitals, where the token says where the account is. */
  country?: string;
}

/** An API key: only its hash is kept. `_id` is the hex SHA-256 of the whole `mk_…` token. */
export interface ApiKeyRecord {
  _id: string;
  tenant: string;
  subject: string;
  role: Role;
  createdAt: Date;
  revokedAt: Date | null;
}

/** What plays for an account right now: it holds a grant that is good until `until`. */
export interface StreamRecord {
  titleId: string;
  startedAt: Date;
  until: Date;
}

/** Which sound and text an account wants, most wanted first, by BCP-47 tag. */
export interface TrackPreferences {
  audio: string[];
  subtitles: string[];
  /** Only the lines that the film cannot be followed without. */
  forcedOnly?: boolean;
}

/**
 * One account: what it plays and what it prefers. `_id` is made of tenant and account, so that it is read by its id.
 * Whoever changes `streams` names the `version` that was read.
 */
export interface AccountRecord {
  _id: string;
  tenant: string;
  subject: string;
  version: number;
  /** By session. Those whose time is over stay until somebody writes. */
  streams?: Record<string, StreamRecord>;
  preferences?: TrackPreferences;
}
