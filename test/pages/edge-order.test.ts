import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEdges } from "../../core/edges.ts";
import { steeringManifest } from "../../core/steering.ts";
import { chooseEdge, edgeOrder, withHost } from "../../player-demo/edge-order.ts";

test("the player reads the order that the server meant", () => {
  const ranked = parseEdges("http://b.test, http://a.test, http://c.test");
  for (const own of ["a.test", "b.test", "c.test", "unknown.test"]) {
    const answer = steeringManifest({ ranked, own, isCalm: true, reloadUri: "" });
    assert.deepEqual(edgeOrder(answer, own), ["b.test", "a.test", "c.test"]);
  }
  assert.deepEqual(edgeOrder({}, "a.test"), []);
  assert.deepEqual(edgeOrder({ "PATHWAY-PRIORITY": ["strange", "."] }, "a.test"), ["a.test"]);
});

test("an edge that failed is asked last for half a minute; where all failed, the earliest first", () => {
  const order = ["a", "b", "c"];
  const cases: [[string, number][], number, string][] = [
    [[], 0, "a"],
    [[["a", 1_000]], 1_000, "b"],
    [[["a", 1_000]], 31_000, "b"],
    [[["a", 1_000]], 31_001, "a"],
    [
      [
        ["a", 3_000],
        ["b", 1_000],
        ["c", 2_000],
      ],
      4_000,
      "b",
    ],
  ];
  for (const [failed, nowMs, expected] of cases)
    assert.equal(chooseEdge(order, new Map(failed), nowMs), expected, JSON.stringify(failed));
  assert.equal(chooseEdge([], new Map(), 0), null);
});

test("only the host of an address changes", () => {
  assert.equal(
    withHost("http://127.0.0.1:8081/v/g.r/as/g/video/00001.m4s?x=1", "127.0.0.2"),
    "http://127.0.0.2:8081/v/g.r/as/g/video/00001.m4s?x=1",
  );
});
