import type { GrantKey } from "../../core/grant.ts";
import { REVOCATION_KINDS, type Revocations } from "../../core/revocation.ts";

/** UpdateKeys of CloudFront takes so many changes in one call. */
const CHANGES_A_CALL = 50;

export interface Changes {
  puts: { Key: string; Value: string }[];
  deletes: { Key: string }[];
}

/** What the function's store must hold: each grant key, and one entry for all that was called back. */
export function entriesOf(keys: readonly GrantKey[], list: Revocations): Map<string, string> {
  const entries = new Map<string, string>();
  for (const kind of REVOCATION_KINDS) for (const name of list[kind]) entries.set(`${kind}/${name}`, "1");
  for (const { kid, secret } of keys) {
    // A revoked key need not even lie there.
    if (!list.keys.has(kid)) entries.set(`key/${kid}`, Buffer.from(secret).toString("hex"));
  }
  return entries;
}

/** The calls that make `present` into `wanted`: refusals first, then new keys, then what may be forgotten. */
export function changesBetween(
  present: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): Changes[] {
  const isKey = (name: string) => name.startsWith("key/");
  const names = [...wanted.keys()].filter((name) => present.get(name) !== wanted.get(name));
  const gone = [...present.keys()].filter((name) => !wanted.has(name));
  const steps = [
    ...gone.filter(isKey).map((Key) => ({ deletes: [{ Key }], puts: [] })),
    ...[...names.filter((name) => !isKey(name)), ...names.filter(isKey)].map((Key) => ({
      deletes: [],
      puts: [{ Key, Value: wanted.get(Key) as string }],
    })),
    ...gone.filter((name) => !isKey(name)).map((Key) => ({ deletes: [{ Key }], puts: [] })),
  ] as Changes[];
  const calls: Changes[] = [];
  for (let at = 0; at < steps.length; at += CHANGES_A_CALL) {
    const together = steps.slice(at, at + CHANGES_A_CALL);
    calls.push({
      puts: together.flatMap(({ puts }) => puts),
      deletes: together.flatMap(({ deletes }) => deletes),
    });
  }
  return calls;
}
