import { requestFailure } from "../core/errors.ts";

/**
 * The version that a change may be made of: RFC 9110 §13.1.1 If-Match; RFC 6585 §3: 428 where it is needed and absent. Throws 412
 * where the record is another one by now. `what` is its word for people.
 */
export function expectedVersion(ifMatch: string | undefined, what: string, version: number): number {
  if (ifMatch === undefined) {
    throw requestFailure(428, "precondition_required", `Send the ETag of the ${what} you saw as If-Match.`);
  }
  if (ifMatch.trim() === "*") return version;
  const matches = ifMatch.split(",").some((tag) => tag.trim() === `"${version}"`);
  if (!matches) throw changedMeanwhile(what);
  return version;
}

export function changedMeanwhile(what: string) {
  return requestFailure(412, "version_conflict", `The ${what} was changed meanwhile; read it again.`);
}
