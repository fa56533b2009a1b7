import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CrowdedSessions,
  countPlaces,
  MOST_CROWDED,
  PLACES_PER_SESSION,
} from "../../core/crowded-sessions.ts";

const MOST = 3;

function ofNetwork(count: number, network = "192.0.2."): string[] {
  return Array.from({ length: count }, (_, at) => `${network}${at}`);
}

/** Asks from all of them, once in each of the minutes that begin then. */
function ask(crowds: CrowdedSessions, addresses: readonly (string | null)[], ...minutes: number[]): void {
  for (const nowSeconds of minutes) for (const address of addresses) crowds.note("ps_1", address, nowSeconds);
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
    for (const nowSeconds of [100, 160, 220])
      for (const address of addresses) crowds.note(session, address, nowSeconds);
    assert.deepEqual(crowds.take(), isCrowded ? [session] : [], what);
  }
});

test("it is told of in its third minute in a row, once, and in each that follows where that was of no use", () => {
  const crowds = countPlaces(MOST);
  ask(crowds, ofNetwork(50), 100, 160);
  assert.deepEqual(crowds.take(), []);
  ask(crowds, ofNetwork(50), 220);
  assert.deepEqual(crowds.take(), ["ps_1"]);
  ask(crowds, ofNetwork(50, "198.51.100."), 279.9);
  assert.deepEqual(crowds.take(), []);
  ask(crowds, ofNetwork(50), 280);
  assert.deepEqual(crowds.take(), ["ps_1"]);
});

test("minutes that are not in a row are not added up", () => {
  const cases: [what: string, ...minutes: number[]][] = [
    ["nobody asked in between", 0, 60, 180, 240],
    ["an hour later", 0, 60, 3_600],
    ["the clock was set back", 1_000, 1_060, 500, 560],
  ];
  for (const [what, ...minutes] of cases) {
    const crowds = countPlaces(MOST);
    ask(crowds, ofNetwork(50), ...minutes);
    assert.deepEqual(crowds.take(), [], what);
  }
  const crowds = countPlaces(MOST);
  ask(crowds, ofNetwork(50), 0, 60);
  ask(crowds, ofNetwork(MOST), 120);
  ask(crowds, ofNetwork(50), 180, 240);
  assert.deepEqual(crowds.take(), [], "a household's minute in between");
  ask(crowds, ofNetwork(50), 300);
  assert.deepEqual(crowds.take(), ["ps_1"]);
});

test("a clock that is set back begins another minute at once, however far", () => {
  const addresses = ofNetwork(MOST + 1);
  const crowds = countPlaces(MOST);
  ask(crowds, addresses.slice(0, MOST), 1_000_000);
  ask(crowds, addresses.slice(MOST), 999_000, 999_060, 999_120);
  assert.deepEqual(crowds.take(), []);
  ask(crowds, addresses, 5, 65, 125);
  assert.deepEqual(crowds.take(), ["ps_1"]);
});

test("one viewer whose every connection has another address, as behind a carrier's pool, is no crowd", () => {
  const crowds = countPlaces(PLACES_PER_SESSION);
  // Picture, sound and text of six seconds each.
  for (let asked = 0; asked < 3_000; asked++)
    crowds.note("ps_1", `100.64.${asked >> 8}.${asked & 255}`, Math.floor(asked / 3) * 6);
  assert.deepEqual(crowds.take(), []);
});

test("places of different minutes are not added up", () => {
  const crowds = countPlaces(MOST);
  for (const [minute, address] of ofNetwork(20).entries()) crowds.note("ps_1", address, minute * 61);
  assert.deepEqual(crowds.take(), []);
});

test("however many sessions and addresses there are, what is held is bounded, and reports are", () => {
  const crowds = countPlaces(1);
  const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  for (const nowSeconds of [0, 60, 120]) {
    for (let at = 0; at < 100_000; at++) crowds.note(`ps_${at % 50_000}`, address(at), nowSeconds);
    crowds.note("ps_late", address(1), nowSeconds);
    crowds.note("ps_late", address(2), nowSeconds);
  }
  const taken = new Set<string>();
  for (let some = crowds.take(); some.length > 0; some = crowds.take()) {
    assert.ok(some.length <= MOST_CROWDED);
    for (const session of some) taken.add(session);
  }
  assert.deepEqual([taken.size, taken.has("ps_late")], [50_000, false]);
});
