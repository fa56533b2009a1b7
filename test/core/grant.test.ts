import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalPath } from "../../core/canonical-path.ts";
import { parseGrantKeys, signGrant, splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import { addressDigits, limitsText, NOBODY } from "../../core/grant-limits.ts";
import { isRevoked, type Revocations } from "../../core/revocation.ts";
import type { GrantVector } from "./make-grant-vectors.ts";

interface VectorFile {
  keys: { kid: string; hex: string }[];
  vectors: GrantVector[];
}

const file: VectorFile = JSON.parse(readFileSync(new URL("../grant-vectors.json", import.meta.url), "utf8"));
const keys = parseGrantKeys(file.keys.map((key) => `${key.kid}:${key.hex}`).join(","));
const NOW = 1_900_000_000;
const key = keys[0]!;

type Question = Pick<GrantVector, "rawPath" | "nowSeconds" | "asker" | "revoked">;

function allows({ rawPath, nowSeconds, asker, revoked }: Question): boolean {
  const split = splitGrantedPath(rawPath);
  if (split === null) return false;
  const verdict = verifyGrant(keys, split.grant, split.path, nowSeconds, { ...NOBODY, ...asker });
  const empty = { sessions: [], withdrawn: [], assets: [], keys: [] };
  const list = Object.fromEntries(
    Object.entries({ ...empty, ...revoked }).map(([kind, names]) => [kind, new Set(names)]),
  ) as unknown as Revocations;
  return verdict.ok && !isRevoked(list, verdict);
}

/** The same rule told another way: no regular expression, segment by segment. */
function referenceAllows({ rawPath, nowSeconds, asker, revoked }: Question): boolean {
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
  const [version, kid = "", expires = "", session = ""] = fields;
  const secret = file.keys.find((known) => known.kid === kid);
  if (fields.length !== (version === "2" ? 6 : 5) || !["1", "2"].includes(version!)) return false;
  if (secret === undefined) return false;
  const seconds = Number(expires);
  if (!Number.isInteger(seconds) || String(seconds) !== expires || seconds < 1e9 || seconds >= 1e10)
    return false;
  if (session.length < 1 || session.length > 64) return false;
  if ([...session].some((letter) => !`${plain}ABCDEFGHIJKLMNOPQRSTUVWXYZ`.includes(letter))) return false;
  if (session === "images" && (names[2] !== "images" || names.length < 4)) return false;
  const hmac = createHmac("sha256", Buffer.from(secret.hex, "hex"));
  const limits = version === "2" ? [fields[4]] : [];
  hmac.update(
    [`matinee-grant-${version}`, kid, `/${names[0]}/${names[1]}/`, expires, session, ...limits].join("\n"),
  );
  if (hmac.digest("base64url") !== fields.at(-1)) return false;
  if (seconds < nowSeconds - 60 || seconds > nowSeconds + 12 * 3_600 + 60) return false;
  if (version === "2" && !referenceWithin(fields[4] ?? "", asker)) return false;
  const listed = (kind: keyof Revocations, name: string) => revoked?.[kind]?.includes(name) ?? false;
  if (listed("keys", kid) || listed("sessions", session) || listed("assets", names[0]!)) return false;
  return !listed("withdrawn", names[0]!) || session === "images" || session.startsWith("pv_");
}

/** Limits told another way: part by part, addresses by Node's own reader of them. */
function referenceWithin(limits: string, asker: Question["asker"]): boolean {
  const parts = limits.split("~");
  const kinds = parts.map((part) => part[0]).join("");
  if (!["n", "c", "d", "nc", "nd", "cd", "ncd"].includes(kinds)) return false;
  return parts.every((part) => {
    const value = part.slice(1);
    if (part[0] === "d") {
      if (value.length !== 16 || asker?.userAgent === undefined) return false;
      return createHash("sha256").update(asker.userAgent).digest("base64url").startsWith(value);
    }
    if (part[0] === "c") {
      const pairs = Array.from({ length: Math.ceil(value.length / 2) }, (_, at) =>
        value.slice(2 * at, 2 * at + 2),
      );
      const letters = [...value].every((letter) => letter >= "A" && letter <= "Z");
      return letters && value.length % 2 === 0 && value.length <= 120 && pairs.includes(asker?.country ?? "");
    }
    return part[0] === "n" && referenceInNetwork(value, asker?.address ?? "");
  });
}

function referenceInNetwork(network: string, address: string): boolean {
  const family = network[0];
  const digits = network.slice(1);
  const length = family === "4" ? 8 : 32;
  if ((family !== "4" && family !== "6") || digits.length < 1 || digits.length > length) return false;
  if ([...digits].some((digit) => !"0123456789abcdef".includes(digit))) return false;
  if (isIP(address) === 0 || address.includes("%")) return false;
  const whole = digits.padEnd(length, "0");
  const base =
    family === "4"
      ? [0, 2, 4, 6].map((at) => Number.parseInt(whole.slice(at, at + 2), 16)).join(".")
      : [0, 4, 8, 12, 16, 20, 24, 28].map((at) => whole.slice(at, at + 4)).join(":");
  const mapped = new BlockList();
  mapped.addSubnet("::ffff:0:0", 96, "ipv6");
  if (family === "6" && (isIP(address) === 4 || mapped.check(address, "ipv6"))) return false;
  const list = new BlockList();
  list.addSubnet(base, digits.length * 4, family === "4" ? "ipv4" : "ipv6");
  return list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}

test("every vector is judged as the file says (T26–T32)", () => {
  assert.ok(file.vectors.length >= 300);
  for (const vector of file.vectors) {
    assert.equal(allows(vector), vector.allow, vector.name);
    assert.equal(referenceAllows(vector), vector.allow, `reference: ${vector.name}`);
  }
});

test("what is signed is granted, with its claims", () => {
  const claims = { prefix: "/as_1/0abc/", expiresAtSeconds: NOW + 300, session: "ps_1" };
  assert.deepEqual(verifyGrant(keys, signGrant(key, claims), "/as_1/0abc/video/1080p/0.m4s", NOW), {
    ok: true,
    kid: key.kid,
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
        const question = { rawPath, nowSeconds: NOW };
        assert.equal(allows(question), referenceAllows(question), rawPath);
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

test("limits hold and miss as the reference model says, for any asker (T27)", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const ipv4 = fc.tuple(octet, octet, octet, octet).map((bytes) => bytes.join("."));
  const address = fc.oneof(
    ipv4,
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ maxLength: 12 }),
    ipv4.map((one) => `::ffff:${one}`),
  );
  const country = fc.constantFrom("DE", "AT", "CH", "EA", "de", "");
  const asker = fc.record({ address, country, userAgent: fc.string({ maxLength: 5 }) });
  const spoilt = fc.option(fc.tuple(fc.nat(60), fc.constantFrom("~", "n", "c", "d", "A", "0", "")), {
    nil: undefined,
  });
  fc.assert(
    fc.property(
      asker,
      asker,
      fc.nat(33),
      spoilt,
      fc.subarray(["n", "c", "d"]),
      (who, whom, nibbles, spoil, kinds) => {
        const digits = addressDigits(whom.address) ?? "4c0000207";
        const device = createHash("sha256").update(whom.userAgent).digest("base64url").slice(0, 16);
        const texts: Record<string, string> = {
          n: `n${digits.slice(0, 2 + nibbles)}`,
          c: `cCH${whom.country}`,
          d: `d${device}`,
        };
        const written = kinds.map((kind) => texts[kind]).join("~");
        const limits =
          spoil === undefined ? written : written.slice(0, spoil[0]) + spoil[1] + written.slice(spoil[0] + 1);
        const claims = `k1\n/a/g/\n${NOW}\ns\n${limits}`;
        const mac = createHmac("sha256", key.secret).update(`matinee-grant-2\n${claims}`).digest("base64url");
        const rawPath = `/v/2.k1.${NOW}.s.${limits}.${mac}/a/g/main.m3u8`;
        for (const asked of [who, whom]) {
          const question = { rawPath, nowSeconds: NOW, asker: asked };
          assert.equal(allows(question), referenceAllows(question), `${limits} for ${JSON.stringify(asked)}`);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test("an address is read as Node reads it, and an IPv4 one in IPv6 clothes is the IPv4 one", () => {
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(..."0129af:.g"), maxLength: 20 }),
  );
  fc.assert(
    fc.property(text, (address) => {
      assert.equal(addressDigits(address) !== null, isIP(address) !== 0, address);
    }),
    { numRuns: 20_000 },
  );
  assert.equal(addressDigits("::ffff:192.0.2.7"), addressDigits("192.0.2.7"));
});

test("limits are signed as they are meant, and those that nobody could keep are not", () => {
  const countries = ["DE", "AT"];
  const grant = signGrant(
    key,
    { prefix: "/a/g/", expiresAtSeconds: NOW, session: "s" },
    { network: "192.0.2.9/24", countries },
  );
  assert.match(grant, /^2\.k1\.[0-9]+\.s\.n4c00002~cDEAT\./);
  const asker = { ...NOBODY, address: "192.0.2.7", country: "AT" };
  assert.ok(verifyGrant(keys, grant, "/a/g/main.m3u8", NOW, asker).ok);
  const refused = verifyGrant(keys, grant, "/a/g/main.m3u8", NOW, { ...asker, country: "FR" });
  assert.deepEqual(refused, { ok: false, reason: "limits" });
  assert.equal(limitsText({}), "");
  for (const limits of [
    { network: "192.0.2.0" },
    { network: "192.0.2.0/23" },
    { network: "192.0.2.0/0" },
    { network: "192.0.2.0/36" },
    { network: "x/8" },
    { countries: [] },
    { countries: ["de"] },
    { countries: ["DEU"] },
  ]) {
    assert.throws(() => limitsText(limits), JSON.stringify(limits));
  }
});
