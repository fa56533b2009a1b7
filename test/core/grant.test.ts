import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalPath } from "../../core/canonical-path.ts";
import { parseGrantKeys, signGrant, splitGrantedPath, verifyGrant } from "../../core/grant.ts";

interface VectorFile {
  keys: { kid: string; hex: string }[];
  vectors: { name: string; rawPath: string; nowSeconds: number; allow: boolean }[];
}

const file: VectorFile = JSON.parse(readFileSync(new URL("../grant-vectors.json", import.meta.url), "utf8"));
const keys = parseGrantKeys(file.keys.map((key) => `${key.kid}:${key.hex}`).join(","));
const NOW = 1_900_000_000;
const key = keys[0]!;

function allows(rawPath: string, nowSeconds: number): boolean {
  const split = splitGrantedPath(rawPath);
  return split !== null && verifyGrant(keys, split.grant, split.path, nowSeconds).ok;
}

/** The same rule told another way: no regular expression, segment by segment. */
function referenceAllows(rawPath: string, nowSeconds: number): boolean {
  const [empty, room, grant = "", ...names] = rawPath.split("/");
  if (empty !== "" || room !== "v" || names.length < 3) return false;
  if (`/${names.join("/")}`.length > 600) return false;
  const plain = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  for (const name of names) {
    const pieces = name.split(".");
    if (pieces.some((piece) => piece === "" || [...piece].some((letter) => !plain.includes(letter))))
      return false;
  }
  const fields = grant.split(".");
  const [version, kid, expires = "", session = "", mac] = fields;
  const secret = file.keys.find((known) => known.kid === kid);
  if (fields.length !== 5 || version !== "1" || secret === undefined) return false;
  const seconds = Number(expires);
  if (!Number.isInteger(seconds) || String(seconds) !== expires || seconds < 1e9 || seconds >= 1e10)
    return false;
  if (session.length < 1 || session.length > 64) return false;
  if ([...session].some((letter) => !`${plain}ABCDEFGHIJKLMNOPQRSTUVWXYZ`.includes(letter))) return false;
  if (session === "images" && (names[2] !== "images" || names.length < 4)) return false;
  const hmac = createHmac("sha256", Buffer.from(secret.hex, "hex"));
  hmac.update(["matinee-grant-1", kid, `/${names[0]}/${names[1]}/`, expires, session].join("\n"));
  if (hmac.digest("base64url") !== mac) return false;
  return seconds >= nowSeconds - 60 && seconds <= nowSeconds + 12 * 3_600 + 60;
}

test("every vector is judged as the file says (T26–T32)", () => {
  assert.ok(file.vectors.length >= 300);
  for (const vector of file.vectors) {
    assert.equal(allows(vector.rawPath, vector.nowSeconds), vector.allow, vector.name);
    assert.equal(
      referenceAllows(vector.rawPath, vector.nowSeconds),
      vector.allow,
      `reference: ${vector.name}`,
    );
  }
});

test("what is signed is granted, with its claims", () => {
  const claims = { prefix: "/as_1/0abc/", expiresAtSeconds: NOW + 300, session: "ps_1" };
  assert.deepEqual(verifyGrant(keys, signGrant(key, claims), "/as_1/0abc/video/1080p/0.m4s", NOW), {
    ok: true,
    claims,
  });
});

test("each refusal has its reason", () => {
  const sign = (expiresAtSeconds: number) =>
    signGrant(key, { prefix: "/a/g/", expiresAtSeconds, session: "s" });
  const unknown = signGrant(
    { kid: "gone", secret: key.secret },
    { prefix: "/a/g/", expiresAtSeconds: NOW, session: "s" },
  );
  const cases: [string, string, number, string][] = [
    ["nonsense", "/a/g/main.m3u8", NOW, "malformed"],
    [sign(NOW), "/a/g/../main.m3u8", NOW, "path"],
    [unknown, "/a/g/main.m3u8", NOW, "unknown_key"],
    [sign(NOW), "/b/g/main.m3u8", NOW, "signature"],
    [sign(NOW), "/a/g/main.m3u8", NOW + 61, "expired"],
    [sign(NOW), "/a/g/main.m3u8", Number.NaN, "expired"],
    [sign(NOW + 100_000), "/a/g/main.m3u8", NOW, "too_long"],
  ];
  for (const [grant, path, now, reason] of cases) {
    assert.deepEqual(verifyGrant(keys, grant, path, now), { ok: false, reason });
  }
});

test("claims that no verifier would accept are not signed", () => {
  const claims = { prefix: "/a/g/", expiresAtSeconds: NOW, session: "s" };
  for (const prefix of ["", "/", "/a/", "/a/g", "/a/g/x/", "a/g/", "/A/g/", "/a/../"]) {
    assert.throws(() => signGrant(key, { ...claims, prefix }), `prefix ${prefix}`);
  }
  for (const expiresAtSeconds of [NOW + 0.5, Number.NaN, 1e21, -1, 0, NOW * 1_000]) {
    assert.throws(() => signGrant(key, { ...claims, expiresAtSeconds }), `expiry ${expiresAtSeconds}`);
  }
  for (const session of ["", "a.b", "a/b", "s".repeat(65)]) {
    assert.throws(() => signGrant(key, { ...claims, session }), `session ${session}`);
  }
});

test("weak, missing, doubled or broken keys are refused and not shown", () => {
  const good = "ab".repeat(32);
  assert.deepEqual(
    parseGrantKeys(`new:${good}, old:${"cd".repeat(40)}`).map((one) => [one.kid, one.secret.byteLength]),
    [
      ["new", 32],
      ["old", 40],
    ],
  );
  const short = "ab".repeat(31);
  for (const text of [
    "",
    " ",
    ",",
    "k:",
    `:${good}`,
    good,
    `k:${short}`,
    `k:${good}a`,
    `k:${good.toUpperCase()}`,
  ]) {
    assert.throws(
      () => parseGrantKeys(text),
      (thrown: Error) => !thrown.message.includes(short),
    );
  }
  assert.throws(() => parseGrantKeys(`a:${good},a:${"cd".repeat(32)}`), /twice/);
  assert.throws(() => parseGrantKeys(`a:${good},b:${good}`), /twice/);
  assert.throws(() => parseGrantKeys(`a:${good},`), /2/);
});

test("the verifier and the reference model agree on any path (T27)", () => {
  const name = fc.oneof(
    fc.constantFrom(
      "as_1",
      "as_10",
      "g1",
      "g10",
      "main.m3u8",
      "images",
      "..",
      ".",
      "",
      "%2e%2e",
      "%252f",
      "\\",
      "a;b",
      "A",
      "é",
    ),
    fc.string({ maxLength: 6 }),
  );
  const arbitrary = fc.record({
    names: fc.array(name, { maxLength: 6 }),
    signedNames: fc.tuple(fc.constantFrom("as_1", "as_10"), fc.constantFrom("g1", "g10")),
    skew: fc.integer({ min: -50_000, max: 50_000 }),
    cut: fc.option(fc.nat(120)),
    session: fc.constantFrom("ps_1", "images"),
  });
  fc.assert(
    fc.property(arbitrary, ({ names, signedNames, skew, cut, session }) => {
      const claims = { prefix: `/${signedNames.join("/")}/`, expiresAtSeconds: NOW + skew, session };
      const grant = signGrant(key, claims).slice(0, cut ?? undefined);
      for (const path of [names, [...signedNames, ...names]]) {
        const rawPath = `/v/${grant}/${path.join("/")}`;
        assert.equal(allows(rawPath, NOW), referenceAllows(rawPath, NOW), rawPath);
      }
    }),
    { numRuns: 20_000 },
  );
});

test("a canonical path survives URL parsing and decoding unchanged", () => {
  const piece = fc.string({ unit: fc.constantFrom(..."az09_-./%\\;A é\u0000"), maxLength: 20 });
  fc.assert(
    fc.property(piece, (text) => {
      const path = canonicalPath(`/${text}`);
      if (path === null) return;
      assert.equal(new URL(`http://edge.test${path}`).pathname, path);
      assert.equal(decodeURIComponent(path), path);
      assert.ok(!path.includes("//") && !path.endsWith("/") && !path.includes(".."));
    }),
    { numRuns: 20_000 },
  );
});
