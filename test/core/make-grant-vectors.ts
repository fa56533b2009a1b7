/**
 * Writes test/grant-vectors.json: what every verifier of grants (the Node edge, nginx, CloudFront) must answer. Run it
 * by hand when the format of a grant changes: `node test/core/make-grant-vectors.ts`. It computes its MACs itself, so
 * that a mistake in core/grant.ts cannot write itself into the vectors.
 */
import { createHash, createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";

export interface GrantVector {
  name: string;
  /** The raw path of the request line, without query. */
  rawPath: string;
  nowSeconds: number;
  allow: boolean;
  /** Who asks; where it is left out the edge knows nothing of them. */
  asker?: { address?: string; country?: string; userAgent?: string };
  /** What was called back; nothing where it is left out. */
  revoked?: { sessions?: string[]; withdrawn?: string[]; assets?: string[]; keys?: string[] };
}

const NOW = 1_900_000_000;
const KEYS = [
  { kid: "k1", hex: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" },
  { kid: "k2", hex: "ff".repeat(48) },
];
const RETIRED = { kid: "k0", hex: "ab".repeat(32) };
const ASSET = "as_0123456789abcdefghjkmnpqrs";
const OTHER = "as_zyxwvtsrqpnmkjhgfedcba9876";
const GENERATION = "9f86d081884c7d65";
const SESSION = "ps_0123456789abcdefghjkmnpqrs";
const OBJECTS = [
  "main.m3u8",
  "main.mpd",
  "video/1080p/init.mp4",
  "video/1080p/00000.m4s",
  "video/1080p/media.m3u8",
  "video/1080p/iframes.m3u8",
  "audio/und-0/init.mp4",
  "audio/und-0/00041.m4s",
  "audio/und-0/media.m3u8",
  "text/en_sdh/00001.vtt",
  "images/poster.jpg",
  "images/storyboard.vtt",
];

const vectors: GrantVector[] = [];

function add(
  allow: boolean,
  name: string,
  rawPath: string,
  circumstances: Pick<GrantVector, "asker" | "revoked"> = {},
): void {
  vectors.push({ name, rawPath, nowSeconds: NOW, allow, ...circumstances });
}

function grant(
  changes: {
    version?: string;
    kid?: string;
    hex?: string;
    expires?: string;
    session?: string;
    prefix?: string;
    signed?: string;
    limits?: string;
  } = {},
): string {
  const kid = changes.kid ?? "k1";
  const hex = changes.hex ?? [...KEYS, RETIRED].find((key) => key.kid === kid)?.hex ?? "";
  const expires = changes.expires ?? String(NOW + 3_600);
  const session = changes.session ?? SESSION;
  const prefix = changes.prefix ?? `/${ASSET}/${GENERATION}/`;
  const { limits } = changes;
  const claims = `${kid}\n${prefix}\n${expires}\n${session}`;
  const plain = limits === undefined ? `matinee-grant-1\n${claims}` : `matinee-grant-2\n${claims}\n${limits}`;
  const signed = changes.signed ?? plain;
  const mac = createHmac("sha256", Buffer.from(hex, "hex")).update(signed).digest("base64url");
  if (limits !== undefined) return `${changes.version ?? "2"}.${kid}.${expires}.${session}.${limits}.${mac}`;
  return `${changes.version ?? "1"}.${kid}.${expires}.${session}.${mac}`;
}

function good(): void {
  for (const key of KEYS) {
    for (const object of OBJECTS) {
      for (const asset of [ASSET, OTHER, "a"]) {
        const one = grant({ kid: key.kid, prefix: `/${asset}/${GENERATION}/` });
        add(true, `${key.kid} reads ${object} of ${asset}`, `/v/${one}/${asset}/${GENERATION}/${object}`);
      }
    }
  }
  for (const object of OBJECTS) {
    const allow = object.startsWith("images/");
    add(
      allow,
      `a grant for pictures and ${object}`,
      `/v/${grant({ session: "images" })}/${ASSET}/${GENERATION}/${object}`,
    );
  }
  const path = `/${ASSET}/${GENERATION}/main.m3u8`;
  for (const seconds of [-60, -59, -1, 0, 1, 300, 43_200, 43_259, 43_260]) {
    add(true, `expires in ${seconds} s`, `/v/${grant({ expires: String(NOW + seconds) })}${path}`);
  }
  for (const session of ["a", "A-_9", "s".repeat(64)]) {
    add(true, `session of ${session.length}`, `/v/${grant({ session })}${path}`);
  }
}

function evilClaims(): void {
  const path = `/${ASSET}/${GENERATION}/main.m3u8`;
  const bad = (name: string, changes: Parameters<typeof grant>[0]) =>
    add(false, name, `/v/${grant(changes)}${path}`);
  for (const seconds of [-61, -62, -3_600, -7_200, -86_400, 43_261, 50_400, 86_400, 31_536_000]) {
    bad(`expires in ${seconds} s`, { expires: String(NOW + seconds) });
  }
  const whole = String(NOW + 60);
  for (const expires of [
    `${whole}.5`,
    `${whole}.0`,
    `${whole}e0`,
    "1.9e9",
    `+${whole}`,
    `-${whole}`,
    `0${whole}`,
    ` ${whole}`,
    `${whole} `,
    "",
    "0",
    "NaN",
    "Infinity",
    "null",
    "true",
    "0x713fb300",
    "99999999999",
    "999999999999999999999",
    `${whole}n`,
    "9999999999",
    "1",
    `${NOW}000`,
    "１９００００００６０",
  ]) {
    bad(`expires "${expires}"`, { expires });
  }
  for (const session of [
    "",
    "s".repeat(65),
    "a b",
    "a/b",
    "a.b",
    "a%2fb",
    "é",
    "a\nb",
    "a=",
    "a+b",
    "..",
    "*",
  ]) {
    bad(`session ${JSON.stringify(session)}`, { session });
  }
  for (const version of ["", "0", "2", "01", "1.0", "v1", "11", " 1"])
    bad(`version "${version}"`, { version });
  bad("a retired key", { kid: "k0" });
  for (const kid of [
    "",
    "k3",
    "K1",
    "k1 ",
    "../k1",
    "k1/",
    "none",
    "__proto__",
    "constructor",
    "toString",
    "0",
    "k".repeat(17),
  ]) {
    bad(`kid "${kid}"`, { kid, hex: KEYS[0]?.hex });
  }
  bad("an empty key", { hex: "" });
  bad("k2's key under k1's name", { hex: KEYS[1]?.hex });
  for (const prefix of [
    `/${OTHER}/${GENERATION}/`,
    `/${ASSET}/aaaaaaaaaaaaaaaa/`,
    `/${ASSET}/`,
    "/",
    "",
    `/${ASSET}/${GENERATION}`,
    `/${ASSET}/${GENERATION}/video/`,
    `/${ASSET}/${GENERATION.slice(0, -1)}/`,
    `/${ASSET}0/${GENERATION}/`,
    `/${ASSET.toUpperCase()}/${GENERATION}/`,
    `${ASSET}/${GENERATION}/`,
    `//${ASSET}/${GENERATION}/`,
    "/*/",
    "null",
  ]) {
    bad(`signed for prefix "${prefix}"`, { prefix });
  }
  const prefix = `/${ASSET}/${GENERATION}/`;
  for (const [name, signed] of Object.entries({
    "without the version": `k1\n${prefix}\n${whole}\n${SESSION}`,
    "with the version of another format": `matinee-grant-2\nk1\n${prefix}\n${whole}\n${SESSION}`,
    "without the kid": `matinee-grant-1\n${prefix}\n${whole}\n${SESSION}`,
    "without the expiry": `matinee-grant-1\nk1\n${prefix}\n${SESSION}`,
    "without the session": `matinee-grant-1\nk1\n${prefix}\n${whole}`,
    "with other separators": `matinee-grant-1.k1.${prefix}.${whole}.${SESSION}`,
    "in another order": `matinee-grant-1\nk1\n${whole}\n${prefix}\n${SESSION}`,
    "with a line more": `matinee-grant-1\nk1\n${prefix}\n${whole}\n${SESSION}\n`,
  })) {
    bad(`signed ${name}`, { expires: whole, signed });
  }
}

function evilMutants(): void {
  const path = `/${ASSET}/${GENERATION}/video/1080p/00000.m4s`;
  const one = grant();
  for (let at = 0; at < one.length; at++) {
    const other = one[at] === "A" ? "B" : "A";
    add(false, `character ${at} changed`, `/v/${one.slice(0, at)}${other}${one.slice(at + 1)}${path}`);
  }
  for (const cut of [0, 1, 10, 42, 43, one.length - 1])
    add(false, `cut to ${cut}`, `/v/${one.slice(0, cut)}${path}`);
  for (const more of ["A", "=", ".", "%00", "%3d", " ", "~", ";a", ",", "\n", "\u0000", "é"]) {
    add(false, `followed by ${JSON.stringify(more)}`, `/v/${one}${more}${path}`);
    add(false, `led by ${JSON.stringify(more)}`, `/v/${more}${one}${path}`);
  }
  const base64Tail = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = base64Tail.indexOf(one.at(-1) ?? "");
  // The last character of 43 carries two bits that decode to nothing: they must not make a second good spelling.
  add(false, "the unused bits of the MAC set", `/v/${one.slice(0, -1)}${base64Tail[last ^ 1]}${path}`);
  const mac = one.slice(-43);
  add(
    false,
    "the MAC in hex",
    `/v/${one.slice(0, -43)}${Buffer.from(mac, "base64url").toString("hex")}${path}`,
  );
  add(false, "the MAC in lower case", `/v/${one.slice(0, -43)}${mac.toLowerCase()}${path}`);
  add(false, "no MAC", `/v/${one.slice(0, -44)}${path}`);
  add(false, "an empty MAC", `/v/${one.slice(0, -43)}${path}`);
  for (const part of [
    "",
    "null",
    "undefined",
    "true",
    "none",
    "eyJhbGciOiJub25lIn0.e30.",
    "*",
    "..",
    ".",
    "%2e",
  ]) {
    add(false, `the grant "${part}"`, `/v/${part}${path}`);
  }
  add(false, "no grant", `/v${path}`);
  add(false, "two grants", `/v/${one}/${one}${path}`);
  add(false, "another room", `/w/${one}${path}`);
  add(false, "capital V", `/V/${one}${path}`);
  add(false, "an encoded v", `/%76/${one}${path}`);
  add(false, "a slash before", `//v/${one}${path}`);
  add(false, "no slash before", `v/${one}${path}`);
  add(false, "an absolute URL", `http://edge.test/v/${one}${path}`);
}

function evilPaths(): void {
  const one = grant();
  const inside = `/${ASSET}/${GENERATION}`;
  for (const path of [
    "",
    "/",
    `/${ASSET}`,
    `/${ASSET}/`,
    inside,
    `${inside}/`,
    `${inside}/video/`,
    `${inside}//main.m3u8`,
    `//${ASSET}/${GENERATION}/main.m3u8`,
    `/${ASSET}//${GENERATION}/main.m3u8`,
    `${inside}/./main.m3u8`,
    `${inside}/../main.m3u8`,
    `${inside}/../../${OTHER}/${GENERATION}/main.m3u8`,
    `${inside}/..`,
    `${inside}/.`,
    `${inside}/video/..`,
    `${inside}/...`,
    `${inside}/.hidden`,
    `${inside}/main.m3u8.`,
    `${inside}/main..m3u8`,
    `${inside}/%2e%2e/${OTHER}/${GENERATION}/main.m3u8`,
    `${inside}/%2E%2E/x`,
    `${inside}/%252e%252e/x`,
    `${inside}/..%2fx`,
    `${inside}%2fmain.m3u8`,
    `${inside}/%6dain.m3u8`,
    `${inside}/main.m3u8%00`,
    `${inside}/a%`,
    `${inside}/..\\x`,
    `${inside}\\main.m3u8`,
    `${inside}/..;/x`,
    `${inside}/main.m3u8;a=b`,
    `${inside}/main.m3u8#x`,
    `${inside}/main.m3u8?x=1`,
    `${inside}/main.m3u8 `,
    `${inside}/ main.m3u8`,
    `${inside}/main.m3u8\n`,
    `${inside}/main.m3u8\r\nx: y`,
    `${inside}/main.m3u8\u0000`,
    `${inside}/mäin.m3u8`,
    `${inside}/main.m3u8\u200b`,
    `${inside}/ｍain.m3u8`,
    `${inside}/．．/x`,
    `${inside}/Main.m3u8`,
    `${inside}/MAIN.M3U8`,
    `/${ASSET.toUpperCase()}/${GENERATION}/main.m3u8`,
    `/${ASSET}/${GENERATION.toUpperCase()}/main.m3u8`,
    `/${OTHER}/${GENERATION}/main.m3u8`,
    `/${ASSET}/aaaaaaaaaaaaaaaa/main.m3u8`,
    `/${ASSET}0/${GENERATION}/main.m3u8`,
    `/${ASSET.slice(0, -1)}/${GENERATION}/main.m3u8`,
    `/${ASSET}/${GENERATION}0/main.m3u8`,
    `/x/${ASSET}/${GENERATION}/main.m3u8`,
    `/${GENERATION}/${ASSET}/main.m3u8`,
    `${inside}/${"a/".repeat(400)}x`,
    `${inside}/${"a".repeat(700)}`,
    `${inside}/*`,
    `${inside}/~root`,
    `${inside}/$HOME`,
    `${inside}/a,b`,
    `${inside}/a&b`,
    `${inside}/a+b`,
    `${inside}/a=b`,
    `${inside}/a:b`,
    `${inside}/a@b`,
    `${inside}/a'b`,
    `${inside}/a"b`,
    `${inside}/a|b`,
    `${inside}/<x>`,
    `${inside}/{x}`,
    `${inside}/[x]`,
    `${inside}/a^b`,
    `${inside}/a\`b`,
    `${inside}/a!b`,
    `${inside}/(a)`,
  ]) {
    add(false, `path ${JSON.stringify(path.slice(0, 80))}`, `/v/${one}${path}`);
  }
}

const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";
const DEVICE = createHash("sha256").update(AGENT).digest("base64url").slice(0, 16);

function limited(): void {
  const path = `/${ASSET}/${GENERATION}/video/1080p/00000.m4s`;
  const table: [allow: boolean, limits: string, asker: GrantVector["asker"]][] = [
    [true, "n4c0000207", { address: "192.0.2.7" }],
    [false, "n4c0000207", { address: "192.0.2.8" }],
    [true, "n4c00002", { address: "192.0.2.255" }],
    [false, "n4c00002", { address: "192.0.3.0" }],
    [true, "n4c", { address: "207.255.255.255" }],
    [false, "n4c", { address: "208.0.0.0" }],
    [true, "n4c00002", { address: "::ffff:192.0.2.7" }],
    [true, "n4c00002", { address: "::FFFF:C000:0207" }],
    [false, "n4c00002", { address: "::192.0.2.7" }],
    [false, "n4c00002", { address: "c000:200::1" }],
    [true, "n620010db80000", { address: "2001:db8::1" }],
    [true, "n620010db80000", { address: "2001:DB8:0:ffff::" }],
    [false, "n620010db80000", { address: "2001:db8:1::1" }],
    [true, "n62001", { address: "2001:0db8:0000:0000:0000:0000:0000:0001" }],
    [true, "n60000000000000000000000000000000", { address: "::1" }],
    [true, "n600000000000000000000000000000001", { address: "::1" }],
    [false, "n600000000000000000000000000000001", { address: "::2" }],
    [false, "n4c00002", { address: "192.0.2" }],
    [false, "n4c00002", { address: "192.0.2.7.1" }],
    [false, "n4c00002", { address: "192.0.2.256" }],
    [false, "n4c00002", { address: "192.0.02.7" }],
    [false, "n4c00002", { address: "192.0.2.7 " }],
    [false, "n4c00002", { address: "unknown" }],
    [false, "n4c00002", { address: "" }],
    [false, "n4c00002", undefined],
    [false, "n62001", { address: "2001::db8::1" }],
    [false, "n62001", { address: "2001:db8" }],
    [false, "n62001", { address: "2001:db8:0:0:0:0:0:0:1" }],
    [false, "n62001", { address: "2001:db8::12345" }],
    [false, "n62001", { address: "[2001:db8::1]" }],
    [false, "n62001", { address: "2001:db8::1%eth0" }],
    [true, "cDE", { country: "DE" }],
    [true, "cDEATCH", { country: "CH" }],
    [false, "cDEATCH", { country: "FR" }],
    [false, "cDEATCH", { country: "EA" }],
    [false, "cDEATCH", { country: "DEAT" }],
    [false, "cDEATCH", { country: "de" }],
    [false, "cDEATCH", { country: "D" }],
    [false, "cDEATCH", { country: "" }],
    [false, "cDEATCH", undefined],
    [true, `d${DEVICE}`, { userAgent: AGENT }],
    [false, `d${DEVICE}`, { userAgent: `${AGENT} ` }],
    [false, `d${DEVICE}`, { userAgent: "" }],
    [false, `d${DEVICE}`, undefined],
    [true, `n4c00002~cDE~d${DEVICE}`, { address: "192.0.2.7", country: "DE", userAgent: AGENT }],
    [false, `n4c00002~cDE~d${DEVICE}`, { address: "192.0.3.7", country: "DE", userAgent: AGENT }],
    [false, `n4c00002~cDE~d${DEVICE}`, { address: "192.0.2.7", country: "AT", userAgent: AGENT }],
    [false, `n4c00002~cDE~d${DEVICE}`, { address: "192.0.2.7", country: "DE", userAgent: "curl" }],
    [false, `n4c00002~cDE~d${DEVICE}`, { address: "192.0.2.7" }],
    [true, `n4c00002~d${DEVICE}`, { address: "192.0.2.7", userAgent: AGENT }],
    [true, `cDE~d${DEVICE}`, { country: "DE", userAgent: AGENT }],
  ];
  const everything = { address: "192.0.2.7", country: "DE", userAgent: AGENT };
  for (const [allow, limits, asker] of table) {
    add(allow, `limits ${limits} for ${JSON.stringify(asker)}`, `/v/${grant({ limits })}${path}`, { asker });
  }
  for (const limits of [
    "",
    "~",
    "~cDE",
    "cDE~",
    "cDE~n4c00002",
    "cDE~cDE",
    `d${DEVICE}~cDE`,
    "n4",
    "n",
    "n5c00002",
    "n4C00002",
    "n4c00002070",
    "nc0000207",
    "n4c00002cDE",
    "n4c00002~~cDE",
    "c",
    "cD",
    "cDEA",
    "cde",
    "d",
    `d${DEVICE}A`,
    `d${DEVICE.slice(1)}`,
    "x1",
    "*",
    "null",
    `c${"DE".repeat(61)}`,
  ]) {
    const asker = everything;
    add(false, `limits spelt "${limits.slice(0, 40)}"`, `/v/${grant({ limits })}${path}`, { asker });
  }
  const good = grant({ limits: "cDE" });
  const fields = good.split(".");
  const without = [...fields.slice(0, 4), fields[5]].join(".");
  for (const [name, one] of Object.entries({
    "limits cut out": without,
    "limits cut out and the version changed": `1${without.slice(1)}`,
    "AT put in": good.replace("cDE", "cDEAT"),
    "a limit put into a grant without": grant().replace(`.${SESSION}.`, `.${SESSION}.cDE.`),
    "a limit put into a grant without, and the version changed": `2${grant().replace(`.${SESSION}.`, `.${SESSION}.cDE.`).slice(1)}`,
    "version 1 with limits": grant({ limits: "cDE", version: "1" }),
    "version 2 without limits": grant({ version: "2" }),
    "version 3 with limits": grant({ limits: "cDE", version: "3" }),
    "limits signed in the session": grant({ version: "2", session: `${SESSION}.cDE` }),
    "limits signed as version 1 would": grant({
      limits: "cDE",
      signed: `matinee-grant-1\nk1\n/${ASSET}/${GENERATION}/\n${NOW + 3_600}\n${SESSION}`,
    }),
  })) {
    add(false, name, `/v/${one}${path}`, {
      asker: { ...everything, country: name.includes("AT") ? "AT" : "DE" },
    });
  }
  const expired = grant({ limits: "cDE", expires: String(NOW - 61) });
  add(false, "limits and an end that has come", `/v/${expired}${path}`, { asker: everything });
}

function calledBack(): void {
  const path = `/${ASSET}/${GENERATION}`;
  const of = (session: string) => `/v/${grant({ session })}${path}`;
  const preview = "pv_0123456789abcdefghjkmnpqrs";
  const table: [allow: boolean, name: string, rawPath: string, revoked: GrantVector["revoked"]][] = [
    [false, "its session ended", of(SESSION), { sessions: [SESSION] }],
    [true, "another session ended", of(SESSION), { sessions: [`${SESSION}0`, SESSION.slice(0, -1)] }],
    [
      true,
      "its session among assets",
      of(SESSION),
      { assets: [SESSION], withdrawn: [SESSION], keys: [SESSION] },
    ],
    [false, "its asset deleted", of(SESSION), { assets: [ASSET] }],
    [true, "another asset deleted", of(SESSION), { assets: [OTHER, `${ASSET}0`, ASSET.slice(0, -1)] }],
    [true, "its generation among assets", of(SESSION), { assets: [GENERATION] }],
    [false, "its title taken down", of(SESSION), { withdrawn: [ASSET] }],
    [true, "another title taken down", of(SESSION), { withdrawn: [OTHER] }],
    [true, "its title taken down, seen by an editor", of(preview), { withdrawn: [ASSET] }],
    [false, "its asset deleted, seen by an editor", of(preview), { assets: [ASSET] }],
    [false, "an editor's session ended", of(preview), { sessions: [preview] }],
    [false, "its key revoked", of(SESSION), { keys: ["k1"] }],
    [true, "another key revoked", of(SESSION), { keys: ["k2", "K1", "k"] }],
    [true, "a list of nothing", of(SESSION), {}],
    [true, "names of objects in the list", of(SESSION), { sessions: ["__proto__"], keys: ["constructor"] }],
  ];
  for (const [allow, name, rawPath, revoked] of table) {
    for (const object of ["main.m3u8", "video/1080p/00000.m4s", "images/poster.jpg"]) {
      add(allow, `${name}: ${object}`, `${rawPath}/${object}`, { revoked });
    }
  }
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    add(true, `a session named ${name} and an empty list`, `${of(name)}/main.m3u8`, { revoked: {} });
  }
  const poster = `${of("images")}/images/poster.jpg`;
  add(true, "pictures of a title taken down", poster, { revoked: { withdrawn: [ASSET] } });
  add(false, "pictures of a deleted asset", poster, { revoked: { assets: [ASSET] } });
  const both = grant({ limits: "cDE" });
  const asker = { country: "DE" };
  add(false, "limits that hold, of a session that ended", `/v/${both}${path}/main.m3u8`, {
    asker,
    revoked: { sessions: [SESSION] },
  });
}

good();
evilClaims();
evilMutants();
evilPaths();
limited();
calledBack();
const file = new URL("../grant-vectors.json", import.meta.url);
writeFileSync(file, `${JSON.stringify({ keys: KEYS, vectors }, null, 1)}\n`);
console.log(`${vectors.length} vectors, ${vectors.filter((vector) => vector.allow).length} of them good`);
