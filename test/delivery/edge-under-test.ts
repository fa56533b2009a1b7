import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import {
  GRANT_LEEWAY_SECONDS as LEEWAY_SECONDS,
  GRANT_MAX_SECONDS as LONGEST_SECONDS,
  parseGrantKeys,
} from "../../core/grant.ts";
import { REVOCATION_KINDS, type Revocations } from "../../core/revocation.ts";
import type { GrantVector } from "../core/make-grant-vectors.ts";

/** What any of our edges must be for the tests that hold all of them to one behaviour. */
export interface EdgeUnderTest {
  url: string;
  /** Puts a list in force, as the publisher and the edge's next look would. */
  revoke(list: Revocations): Promise<void>;
}

/** Headers that the edge under test trusts to say who asks. */
export const ADDRESS_HEADER = "x-test-address";
export const COUNTRY_HEADER = "x-test-country";

const file = JSON.parse(readFileSync(new URL("../grant-vectors.json", import.meta.url), "utf8")) as {
  keys: { kid: string; hex: string }[];
  vectors: GrantVector[];
};
export const VECTOR_NOW = 1_900_000_000;
export const vectorKeysText = file.keys.map(({ kid, hex }) => `${kid}:${hex}`).join(",");
export const vectorKeys = parseGrantKeys(vectorKeysText);

export interface RawAnswer {
  status: number;
  headers: Record<string, string | undefined>;
  body: Buffer;
}

/** The answer to a request line exactly as given: fetch would tidy the path first, and unpack the body. */
export function raw(
  url: string,
  target: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path: target, method, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece) => pieces.push(piece)).on("error", reject);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers as RawAnswer["headers"],
          body: Buffer.concat(pieces),
        }),
      );
    });
    call.on("error", reject).end();
  });
}

export function listOf(revoked: GrantVector["revoked"] = {}): Revocations {
  const kinds = REVOCATION_KINDS.map((kind) => [kind, new Set(revoked[kind] ?? [])]);
  return Object.fromEntries(kinds) as unknown as Revocations;
}

/**
 * Every vector that fits on a request line, over HTTP: refused ones are 403, all others are not. Where the edge's clock
 * goes on while it is asked, those that hang on single seconds are left out. With
 * `isAskedBefore` each is asked for before its list too, so that what can be remembered is.
 */
export async function judgeVectors(
  edge: EdgeUnderTest,
  { clockStands = true, isAskedBefore = false } = {},
): Promise<void> {
  const chosen = file.vectors.filter((one) => fitsOnTheWire(one) && (clockStands || !hangsOnSeconds(one)));
  const byList = Map.groupBy(chosen, ({ revoked }) => JSON.stringify(revoked ?? {}));
  let judged = 0;
  const ask = async ({ rawPath, asker }: GrantVector): Promise<number> => {
    const headers = {
      ...(asker?.address === undefined ? {} : { [ADDRESS_HEADER]: asker.address }),
      ...(asker?.country === undefined ? {} : { [COUNTRY_HEADER]: asker.country }),
      ...(asker?.userAgent === undefined ? {} : { "user-agent": asker.userAgent }),
    };
    return (await raw(edge.url, rawPath, headers)).status;
  };
  for (const [list, vectors] of byList) {
    if (isAskedBefore) {
      await edge.revoke(listOf());
      for (const vector of vectors) await ask(vector);
    }
    await edge.revoke(listOf(JSON.parse(list)));
    for (const vector of vectors) {
      // Nothing lies under the vectors' paths: what is let through is not found.
      assert.equal(await ask(vector), vector.allow ? 404 : 403, vector.name);
      judged += 1;
    }
  }
  await edge.revoke(listOf());
  assert.ok(judged > 400, `${judged} of ${file.vectors.length} judged`);
}

/** Expires so near to the leeway or to the longest time that minutes of testing decide. */
function hangsOnSeconds({ rawPath }: GrantVector): boolean {
  const seconds = Number(rawPath.split(".")[2]) - VECTOR_NOW;
  return [-LEEWAY_SECONDS, LONGEST_SECONDS + LEEWAY_SECONDS].some((edge) => Math.abs(seconds - edge) < 600);
}

/** HTTP strips spaces around a header's value and ends the path at `?`; some bytes no request line can hold. */
function fitsOnTheWire({ rawPath, nowSeconds, asker }: GrantVector): boolean {
  const trimmed = Object.values(asker ?? {}).every((value) => value === value.trim());
  return nowSeconds === VECTOR_NOW && trimmed && /^\/v(?:\/|$)[\x21-\x3e\x40-\x7e]*$/.test(rawPath);
}
