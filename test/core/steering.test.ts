import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { distance, parseEdges } from "../../core/edges.ts";
import { steeredMpd, steeredMultivariant } from "../../core/steered-manifests.ts";
import { type EdgeState, isCalm, playingFrom, rankEdges, steeringManifest } from "../../core/steering.ts";

const EDGES = parseEdges(
  "https://fra.example DE FR, https://iad.example US north-america, https://sin.example SG",
);
const [FRA, IAD, SIN] = EDGES as [(typeof EDGES)[0], (typeof EDGES)[0], (typeof EDGES)[0]];
const WELL: EdgeState = { isUp: true, load: 0.1 };
const AWAY: EdgeState = { isUp: false, load: 0.1 };
const FULL: EdgeState = { isUp: true, load: 0.9 };

test("edges are read with where they are, and what no player could be sent to is refused in words", () => {
  assert.deepEqual(
    EDGES.map(({ url, hostname, countries }) => [url, hostname, countries]),
    [
      ["https://fra.example", "fra.example", ["DE", "FR"]],
      ["https://iad.example", "iad.example", ["US"]],
      ["https://sin.example", "sin.example", ["SG"]],
    ],
  );
  const refused: [string, RegExp][] = [
    ["https://a.example, https://b.example:8443", /one scheme, port and path/],
    ["https://a.example, http://b.example", /one scheme, port and path/],
    ["https://a.example/x, https://b.example/y", /one scheme, port and path/],
    ["https://a.example, https://a.example", /stands there twice/],
    ["ftp://a.example", /not an http/],
    ["https://a.example?x=1", /not an http/],
    ["https://a.example Germany", /"Germany" is neither/],
    ["https://a.example,", /"" is not an http/],
    [Array.from({ length: 17 }, (_, at) => `https://e${at}.example`).join(), /at most 16/],
  ];
  for (const [text, why] of refused) assert.throws(() => parseEdges(text), why, text);
});

test("who is near: at home, in the same part of the world, elsewhere", () => {
  const cases: [string | null, number[]][] = [
    ["DE", [0, 2, 2]],
    ["PL", [1, 2, 2]],
    ["US", [2, 0, 2]],
    ["MX", [2, 1, 2]],
    ["JP", [2, 2, 1]],
    ["ZA", [2, 2, 2]],
    ["XX", [2, 2, 2]],
    [null, [2, 2, 2]],
  ];
  for (const [country, expected] of cases) {
    assert.deepEqual(
      EDGES.map((edge) => distance(edge, country)),
      expected,
      `${country}`,
    );
  }
});

test("the best edge is up, has room, is near, and is where the viewer is already", () => {
  const cases: [string, (EdgeState | undefined)[], string | null, string | null, string][] = [
    ["near", [], "DE", null, "fra"],
    ["near by its part of the world", [], "CA", null, "iad"],
    ["the near one away", [AWAY], "PL", "fra.example", "iad or sin"],
    ["the near one full", [FULL], "PL", "fra.example", "iad or sin"],
    ["full is better than away", [FULL, AWAY, AWAY], "US", null, "fra"],
    ["all full: near counts again", [FULL, FULL, FULL], "US", null, "iad"],
    ["none seen: near counts again", [AWAY, AWAY, AWAY], "SG", null, "sin"],
    ["nobody knows where: stays", [], null, "sin.example", "sin"],
    ["equally far: stays", [], "ZA", "iad.example", "iad"],
    ["a nearer one has room: goes there", [], "US", "fra.example", "iad"],
    ["says nothing of its load: has room", [{ isUp: true, load: null }], "DE", null, "fra"],
  ];
  for (const [what, states, country, hostname, expected] of cases) {
    const stateOf = (edge: (typeof EDGES)[0]) => states[EDGES.indexOf(edge)] ?? WELL;
    const ranked = rankEdges(EDGES, stateOf, { session: "ps_1", country, hostname });
    assert.equal(ranked.length, EDGES.length, "those further down are for failing over");
    assert.match(expected, new RegExp(ranked[0]!.hostname.split(".")[0]!), what);
  }
});

test("viewers of whom nothing is known spread evenly, and only those of an edge that goes are moved", () => {
  const first = (session: string, stateOf: (edge: (typeof EDGES)[0]) => EdgeState) =>
    rankEdges(EDGES, stateOf, { session, country: null, hostname: null })[0];
  const counts = new Map(EDGES.map((edge) => [edge, 0]));
  for (let at = 0; at < 3_000; at++) {
    const before = first(`ps_${at}`, () => WELL)!;
    counts.set(before, counts.get(before)! + 1);
    const after = first(`ps_${at}`, (edge) => (edge === SIN ? AWAY : WELL));
    if (before === SIN) assert.notEqual(after, SIN);
    else assert.equal(after, before);
  }
  for (const count of counts.values()) assert.ok(count > 850 && count < 1_150, `${[...counts.values()]}`);
});

test("every edge is named once, as the viewer's own pathway or as a clone of it", () => {
  const edge = fc.constantFrom(...EDGES);
  fc.assert(
    fc.property(fc.shuffledSubarray(EDGES, { minLength: 3 }), fc.option(edge), (ranked, from) => {
      const own = from?.hostname ?? "unknown.example";
      const manifest = steeringManifest({ ranked, own, isCalm: true, reloadUri: "https://api.example/s" });
      const clones = new Map(manifest["PATHWAY-CLONES"].map((clone) => [clone.ID, clone["URI-REPLACEMENT"]]));
      const hosts = manifest["PATHWAY-PRIORITY"].map((id) => (id === "." ? own : clones.get(id)?.HOST));
      assert.deepEqual(
        hosts,
        ranked.map(({ hostname }) => hostname),
      );
      for (const id of manifest["PATHWAY-PRIORITY"])
        assert.equal(playingFrom(EDGES, own, id), id === "." ? own : clones.get(id)!.HOST);
    }),
  );
  assert.equal(playingFrom(EDGES, FRA.hostname, undefined), FRA.hostname);
  assert.equal(playingFrom(EDGES, FRA.hostname, "strange"), null);
});

test("players look again soon while something is amiss", () => {
  const ttl = (isCalmNow: boolean) =>
    steeringManifest({ ranked: EDGES, own: IAD.hostname, isCalm: isCalmNow, reloadUri: "" }).TTL;
  assert.ok(ttl(false) < ttl(true));
  assert.deepEqual([WELL, AWAY, FULL].map(isCalm), [true, false, false]);
});

test("a master is steered by one tag, and every variant says its pathway", () => {
  const plain = [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    "",
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",URI="audio/a0/media.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1"',
    "video/v0/media.m3u8",
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="video/v0/iframes.m3u8"',
    "",
  ];
  const steered = steeredMultivariant(plain.join("\n")).split("\n");
  assert.deepEqual(
    steered.filter((line) => !plain.includes(line)),
    [
      '#EXT-X-CONTENT-STEERING:SERVER-URI="steering.json",PATHWAY-ID="."',
      '#EXT-X-STREAM-INF:PATHWAY-ID=".",BANDWIDTH=1,CODECS="avc1"',
      '#EXT-X-I-FRAME-STREAM-INF:PATHWAY-ID=".",BANDWIDTH=1,URI="video/v0/iframes.m3u8"',
    ],
  );
  assert.equal(steered.length, plain.length + 1);
});

test("an MPD names every edge, best first, and the server that steers", () => {
  const text = '<?xml version="1.0"?>\n<MPD type="static">\n  <Period id="0"/>\n</MPD>\n';
  const locations = [
    { id: "fra.example", baseUrl: "https://fra.example/v/$&/as/g/" },
    { id: "iad.example", baseUrl: "https://iad.example/v/$&/as/g/" },
  ];
  assert.equal(
    steeredMpd(text, locations, "https://api.example/s?a=1&b=2"),
    `<?xml version="1.0"?>
<MPD type="static">
  <BaseURL serviceLocation="fra.example">https://fra.example/v/$&amp;/as/g/</BaseURL>
  <BaseURL serviceLocation="iad.example">https://iad.example/v/$&amp;/as/g/</BaseURL>
  <ContentSteering defaultServiceLocation="fra.example">https://api.example/s?a=1&amp;b=2</ContentSteering>
  <Period id="0"/>
</MPD>
`,
  );
  const named = steeringManifest({ ranked: EDGES, own: null, isCalm: true, reloadUri: "" });
  assert.deepEqual(named["PATHWAY-PRIORITY"], ["fra.example", "iad.example", "sin.example"]);
  assert.deepEqual(named["PATHWAY-CLONES"], []);
});
