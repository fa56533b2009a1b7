/** A short address of a title. `_id` is its code: drawn, or the words that somebody chose (core/link-code.ts). */
export interface LinkRecord {
  _id: string;
  tenant: string;
  /** The `ln_` id that it was made under: the same request again makes the same link. */
  madeAs: string;
  ownerId: string;
  titleId: string;
  /** From where the film plays; null is where each viewer left it. */
  startSeconds: number | null;
  isAlias: boolean;
  createdAt: Date;
  /** Once it is over the link is gone, and some time later forgotten; null is never. */
  expiresAt: Date | null;
  /** How often somebody was sent to the player. */
  hits: number;
  lastHitAt: Date | null;
}
