import { hash } from "node:crypto";

/** An id made of names, so that the record is read by it: hashed, since an account's name may be of any length and hold any character. */
export function hashedId(...names: readonly string[]): string {
  return hash("sha256", JSON.stringify(names));
}
