import assert from "node:assert/strict";
import { test } from "node:test";
import { countPlaces, MOST_CROWDED } from "../../core/crowded-sessions.ts";

const MOST = 3;

function ofNetwork(count: number, network = "192.0.2."): string[] {
  return Array.from({ length: count }, (_, at) => `${network}${at}`);
}

test("a session of more places than a household has is told of; all others are not", () => {
  const cases: [what: string, session: string, addresses: (string | null)[], isCrowded: boolean][] = [
    ["a household", "ps_1", ofNetwork(MOST), false],
    ["one more", "ps_1", ofNetwork(MOST + 1), true],
    ["the same again and again", "ps_1", Array(50).fill("192.0.2.7"), false],
    ["one that arrives in two forms", "ps_1", [...ofNetwork(MOST), "::ffff:192.0.2.0"], false],
    ["devices of one IPv6 network", "ps_1", ofNetwork(9, "2001:db8:0:1::"), false],
    ["IPv6 networks", "ps_1", ["1", "2", "3", "4"].map((net) => `2001:db8:0:${net}::1`), true],
    ["nobody knows from where", "ps_1", [...ofNetwork(MOST), null, "", "unknown"], false],
    ["an editor's preview", "pv_1", ofNetwork(50), false],
    ["pictures, which all share", "images", ofNetwork(50), false],
    ["what the API would not read", `ps_${"a".repeat(62)}`, ofNetwork(50), false],
  ];
  for (const [what, session, addresses, isCrowded] of cases) {
    const crowds = countPlaces(MOST);
    for (const address of addresses) crowds.note(session, address, 100);
    assert.deepEqual(crowds.take(), isCrowded ? [session] : [], what);
  }
});

test("it is told of once in a minute, and again where that was of no use", () => {
  const crowds = countPlaces(MOST);
  for (const address of ofNetwork(50)) crowds.note("ps_1", address, 100);
  assert.deepEqual(crowds.take(), ["ps_1"]);
  for (const address of ofNetwork(50, "198.51.100.")) crowds.note("ps_1", address, 159.9);
  assert.deepEqual(crowds.take(), []);
  for (const address of ofNetwork(50)) crowds.note("ps_1", address, 160);
  assert.deepEqual(crowds.take(), ["ps_1"]);
});

test("places of different minutes are not added up", () => {
  const crowds = countPlaces(MOST);
  for (const [minute, address] of ofNetwork(20).entries()) crowds.note("ps_1", address, minute * 61);
  assert.deepEqual(crowds.take(), []);
});

test("however many sessions and addresses there are, what is held is bounded, and reports are", () => {
  const crowds = countPlaces(1);
  const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  for (let at = 0; at < 100_000; at++) crowds.note(`ps_${at % 50_000}`, address(at), 0);
  crowds.note("ps_late", address(1), 0);
  crowds.note("ps_late", address(2), 0);
  const taken = new Set<string>();
  for (let some = crowds.take(); some.length > 0; some = crowds.take()) {
    assert.ok(some.length <= MOST_CROWDED);
    for (const session of some) taken.add(session);
  }
  assert.deepEqual([taken.size, taken.has("ps_late")], [50_000, false]);
});
