/** A master that is fetched from where its owner said, instead of being uploaded. */
export interface PullRecord {
  /** A signed one is as good as the file: it is told to nobody and logged nowhere. null once the master is here. */
  sourceUrl: string | null;
  /** Hex SHA-256 of the whole file as its owner stated it. */
  sha256: string | null;
  /** What storage holds of it so far; null before the first answer, and once the master is here. */
  transfer: PullTransfer | null;
}

/** One multipart upload by our own hand. Whoever changes it names the one that it is instead of. */
export interface PullTransfer {
  /** Where it is stored once it is whole. */
  key: string;
  multipartId: string;
  /** Strong entity tag of the file that its parts are of; null: they are of no use to a later answer. */
  etag: string | null;
  /** null while nobody has said how long the file is. */
  sizeBytes: number | null;
  /** Of the claim that goes on with it; absent until one does. A later claim takes it over before it uses its parts. */
  epoch?: number;
  /** What is stored of it is being removed: nobody goes on with them. */
  isDropped?: true;
}
