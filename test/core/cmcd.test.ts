import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readClientData } from "../../core/cmcd.ts";
import { isFromEdge, namedCountry, signEdgeReport } from "../../core/edge-report.ts";
import { parseGrantKeys } from "../../core/grant.ts";

const NOTHING = {
  sessionId: null,
  encodedKbps: null,
  bufferMs: null,
  throughputKbps: null,
  hasStarved: false,
};
const inQuery = (text: string) => readClientData(`/v/g/a/b.m4s?x=1&CMCD=${encodeURIComponent(text)}`, {});

test("the query of a player is read as CTA-5004 writes it", () => {
  const said =
    'bl=21300,br=3200,bs,cid="faec5fc2-ac30-11ea-bb37-0242ac130002",d=4004,dl=18500,mtp=48100,' +
    'nor="..%2F300kbps%2Ftrack.m4v",nrr="12323-48763",ot=v,pr=1.08,rtp=12000,sf=d,' +
    'sid="6e2fb550-c457-11e9-bb97-0800200c9a66",st=v,su,tb=6000';
  assert.deepEqual(inQuery(said), {
    sessionId: "6e2fb550-c457-11e9-bb97-0800200c9a66",
    encodedKbps: 3_200,
    bufferMs: 21_300,
    throughputKbps: 48_100,
    hasStarved: true,
  });
});

test("the four headers say the same", () => {
  const headers = {
    "cmcd-object": "br=3200,d=4004,ot=v,tb=6000",
    "cmcd-request": "bl=21300,mtp=48100",
    "cmcd-session": 'sid="abc"',
    "cmcd-status": "bs,rtp=12000",
  };
  assert.deepEqual(readClientData("/v/g/a/b.m4s", headers), {
    sessionId: "abc",
    encodedKbps: 3_200,
    bufferMs: 21_300,
    throughputKbps: 48_100,
    hasStarved: true,
  });
});

const PARTS: [string, object | null][] = [
  ["", null],
  ["bs=false", NOTHING],
  ["br=-1,bl=1e9,mtp=99999999999", NOTHING],
  ["br=1000001,bl=21600001,mtp=10000001", NOTHING],
  [
    "br=1000000,bl=21600000,mtp=10000000",
    { ...NOTHING, encodedKbps: 1_000_000, bufferMs: 21_600_000, throughputKbps: 10_000_000 },
  ],
  ['cid="a,br=7",bl=100', { ...NOTHING, bufferMs: 100 }],
  ['cid="a\\",br=7",bl=100', { ...NOTHING, bufferMs: 100 }],
  ['bl=100,cid="open,br=7', { ...NOTHING, bufferMs: 100 }],
  ['sid="<script>"', NOTHING],
  ['bl=100,,br="7"', { ...NOTHING, bufferMs: 100 }],
  ["com.example-Key=1,bl=200", { ...NOTHING, bufferMs: 200 }],
  [`bl=100,nor="${"x".repeat(2_000)}"`, null],
];
for (const [text, wanted] of PARTS) {
  test(`of ${text.slice(0, 30) || "nothing"} is read what is sound`, () =>
    assert.deepEqual(inQuery(text), wanted));
}

test("nothing that a stranger writes throws", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.string({ maxLength: 300 }), (query, header) => {
      readClientData(`/v/g/a/b.m4s?CMCD=${query}`, { "cmcd-object": header, "cmcd-status": [header, query] });
      inQuery(query);
    }),
  );
});

test("a country is two letters of a trusted header, or unknown", () => {
  const seen = [
    namedCountry("de"),
    namedCountry(" AT "),
    namedCountry("EUR"),
    namedCountry("xx"),
    namedCountry("T1"),
    namedCountry(""),
    namedCountry(null),
  ];
  assert.deepEqual(seen, ["DE", "AT", "ZZ", "ZZ", "ZZ", "ZZ", "ZZ"]);
});

test("a report of an edge is good under any live key and spoilt by any change", () => {
  const keys = parseGrantKeys(`a:${"ab".repeat(32)},b:${"cd".repeat(32)}`);
  const signature = signEdgeReport(keys[1]!, "body");
  assert.ok(isFromEdge(keys, signature, "body"));
  const bad = [`${signature}x`, signature.replace("b.", "a."), signature.slice(0, -2), "", ".", "b."];
  for (const one of bad) assert.ok(!isFromEdge(keys, one, "body"), one);
  assert.ok(!isFromEdge(keys, signature, "body "));
});
