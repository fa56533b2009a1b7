import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Failure } from "../../core/errors.ts";
import { judgeAnswer, type PullStep, restOf } from "../../core/pull-answer.ts";
import { NEW_STRETCH, nextStretch, secondsSpent } from "../../core/pull-pace.ts";
import { heldParts, MAX_PULLED_BYTES, pullPartLength } from "../../core/pull-parts.ts";
import { looksRandom, pulledName } from "../../core/pulled-name.ts";
import type { PullTransfer } from "../../core/records/pull.ts";
import type { AttemptRecord } from "../../core/records/task.ts";

const MIB = 2 ** 20;

test("parts grow from 8 to 64 MiB, and ten thousand of them hold 492 GiB", () => {
  const lengths = [1, 1_000, 1_001, 2_000, 2_001, 3_000, 3_001, 10_000].map((n) => pullPartLength(n) / MIB);
  assert.deepEqual(lengths, [8, 8, 16, 16, 32, 32, 64, 64]);
  assert.equal(Math.round(MAX_PULLED_BYTES / 2 ** 30), 492);
});

test("what is held are the leading parts that are whole, and of a known file its last one", () => {
  const part = (partNumber: number, sizeBytes: number) => ({ partNumber, sizeBytes });
  const table: [ReturnType<typeof part>[], number | null, number][] = [
    [[], null, 0],
    [[], 5, 0],
    [[part(1, 8 * MIB)], null, 8 * MIB],
    [[part(2, 8 * MIB), part(1, 8 * MIB)], null, 16 * MIB],
    [[part(1, 8 * MIB), part(3, 8 * MIB)], null, 8 * MIB],
    [[part(1, 8 * MIB), part(2, 7)], null, 8 * MIB],
    [[part(1, 8 * MIB), part(2, 7)], 8 * MIB + 7, 8 * MIB + 7],
    [[part(1, 8 * MIB), part(2, 7)], 8 * MIB + 8, 8 * MIB],
    [[part(1, 7)], 7, 7],
    [[part(1, 8 * MIB)], 7, 0],
  ];
  for (const [stored, fileBytes, bytes] of table) {
    const held = heldParts(stored, fileBytes);
    assert.equal(held.bytes, bytes);
    assert.equal(
      held.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      bytes,
    );
  }
});

const TRANSFER: PullTransfer = { key: "k", multipartId: "m", etag: '"a"', sizeBytes: 100 };

test("the rest is asked for where it can be told that it is of the same file", () => {
  assert.deepEqual(restOf(TRANSFER, 40), { range: "bytes=40-", "if-range": '"a"' });
  for (const [transfer, bytes] of [
    [null, 0],
    [TRANSFER, 0],
    [{ ...TRANSFER, etag: null }, 40],
  ] as const)
    assert.deepEqual(restOf(transfer, bytes), {});
});

test("answers that give the file, or the rest of it", () => {
  const all = (etag: string | null, sizeBytes: number | null): PullStep => ({
    step: "take",
    from: 0,
    etag,
    sizeBytes,
  });
  const rest: PullStep = { step: "take", from: 40, etag: '"a"', sizeBytes: 100 };
  const anew: PullStep = { step: "anew" };
  const table: [number, Record<string, string>, PullStep][] = [
    [200, { etag: '"b"', "content-length": "100" }, all('"b"', 100)],
    [200, { etag: 'W/"b"' }, all(null, null)],
    [200, { etag: "b" }, all(null, null)],
    [206, { "content-range": "bytes 40-99/100", etag: '"a"' }, rest],
    [206, { "content-range": "bytes 40-99/100" }, rest],
    [206, { "content-range": "bytes 40-99/*" }, rest],
    [206, { "content-range": "bytes 41-99/100" }, anew],
    [206, { "content-range": "bytes 40-99/101" }, anew],
    [206, { "content-range": "bytes 40-99/100", etag: '"b"' }, anew],
    [206, {}, anew],
    [416, { "content-range": "bytes */40" }, anew],
  ];
  for (const [status, headers, step] of table)
    assert.deepEqual(
      judgeAnswer({ status, headers }, TRANSFER, 40, 1_000),
      step,
      `${status} ${headers["content-range"]}`,
    );
  const unknown = { ...TRANSFER, sizeBytes: null };
  const end = { status: 416, headers: { "content-range": "bytes */40" } };
  assert.deepEqual(judgeAnswer(end, unknown, 40, 1_000), { step: "whole", sizeBytes: 40 });
  assert.deepEqual(judgeAnswer(end, unknown, 41, 1_000), anew);
  const part = (total: string) => ({ status: 206, headers: { "content-range": `bytes 40-69/${total}` } });
  assert.deepEqual(judgeAnswer(part("100"), unknown, 40, 1_000), rest);
  assert.deepEqual(judgeAnswer(part("*"), unknown, 40, 1_000), anew);
});

test("answers that give nothing say whose turn it is, and never where", () => {
  const refused: [number, string, boolean][] = [
    [401, "source_refused", true],
    [403, "source_refused", true],
    [404, "source_refused", true],
    [204, "source_refused", true],
    [304, "source_refused", true],
    // Nothing was asked for that these could answer.
    [206, "source_refused", true],
    [416, "source_refused", true],
    [408, "source_unreachable", true],
    [429, "source_unreachable", true],
    [500, "source_unreachable", true],
    [503, "source_unreachable", true],
  ];
  for (const [status, code, retryable] of refused)
    assert.throws(
      () => judgeAnswer({ status, headers: {} }, null, 0, 1_000),
      (thrown: Failure) => {
        assert.deepEqual([thrown.code, thrown.retryable], [code, retryable], String(status));
        assert.equal(thrown.failureClass, code === "source_refused" ? "source" : "transient");
        return true;
      },
    );
  const large = { status: 200, headers: { "content-length": "1001" } };
  assert.throws(() => judgeAnswer(large, null, 0, 1_000), { code: "source_too_large" });
});

const PACE = { leastBps: 8_000, graceSeconds: 60, mostSeconds: 600 };

test("a file may come slowly for a while and not for long, however quickly it came before", () => {
  const minute = (bytes: number) => ({ waitedSeconds: 60, bytes });
  const half = (bytes: number) => ({ waitedSeconds: 30, bytes });
  const table: [string, { waitedSeconds: number; bytes: number }[], boolean][] = [
    ["at the limit", [minute(60_000)], true],
    ["below it", [minute(59_999)], false],
    ["nothing yet, and not for long", [half(0)], true],
    ["slow, then quick", [half(0), half(60_000)], true],
    ["quick, then slow", [half(60_000), half(0)], true],
    ["very quick, then slow for long", [minute(10 ** 9), half(0), half(0)], false],
    ["always at the limit", Array(10).fill(minute(60_000)), true],
    ["a long silence that ends in a lot", [{ waitedSeconds: 600, bytes: 600_000 }], true],
  ];
  for (const [what, pieces, isQuick] of table) {
    const end = pieces.reduce<ReturnType<typeof nextStretch>>(
      (stretch, piece) => stretch && nextStretch(stretch, piece, PACE),
      NEW_STRETCH,
    );
    assert.equal(end !== null, isQuick, what);
  }
  assert.deepEqual(nextStretch(half(1), half(10 ** 9), { ...PACE, leastBps: 0 }), NEW_STRETCH);
  assert.deepEqual(nextStretch(NEW_STRETCH, half(0), PACE), half(0), "it goes on");
});

test("what earlier attempts took counts, until somebody retries", () => {
  const line = (seconds: number) =>
    ({ startedAt: new Date(0), endedAt: new Date(seconds * 1000) }) as AttemptRecord;
  const table: [number[], number, number, number][] = [
    [[], 0, 0, 0],
    [[10], 1, 0, 10],
    [[10, 20], 1, 1, 30],
    // The first two are of an order that somebody has retried since.
    [[500, 500, 10, 20], 2, 0, 30],
    [[500, 500], 0, 0, 0],
    [[10], 3, 0, 10],
  ];
  for (const [lines, failures, deaths, seconds] of table)
    assert.equal(secondsSpent({ attempts: lines.map(line), failures, deaths }), seconds);
});

test("no answer makes it throw anything but a failure of the source", () => {
  const header = fc.option(fc.oneof(fc.string(), fc.constantFrom("bytes 40-99/100", "bytes */40", '"a"')), {
    nil: undefined,
  });
  const headers = fc.record({
    etag: header,
    "content-range": header,
    "content-length": fc.constantFrom(undefined, "0", "100"),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      headers,
      fc.constantFrom(0, 40),
      (status, given, heldBytes) => {
        try {
          const step = judgeAnswer({ status, headers: given }, TRANSFER, heldBytes, 1_000);
          if (step.step === "take") assert.ok(step.from === 0 || step.from === heldBytes);
        } catch (thrown) {
          assert.match((thrown as Failure).code, /^source_(refused|unreachable)$/);
        }
      },
    ),
  );
});

test("names of films are told from random texts", () => {
  const names = [
    ...["Der Film", "BigBuckBunny_1080p_H264", "S01E02.The.Pilot.2160p.HDR10.x265", "GX010042", "S01E02E03"],
    ...["A001C003_210812_R1AB", "A001_C003_0812XY_001", "DJI_20240812_123456_0001_D", "20240812T123456Z"],
    ...["TheLordOfTheRingsTheFellowship2001", "supercalifragilisticexpialidocious", "映画の名前2024年版"],
  ];
  for (const name of names) assert.ok(!looksRandom(name), name);
  const random = [
    "00112233-4455-4677-8899-aabbccddeeff",
    "film-1f3870be274f6c49b3e31a0c6728957f",
    "8412345678901234567",
  ];
  for (const text of random) assert.ok(looksRandom(text), text);
  const drawn = (encoding: "hex" | "base64url", length: number): number => {
    const texts = Array.from({ length: 1_000 }, (_, index) =>
      createHash("sha256").update(String(index)).digest(encoding).slice(0, length),
    );
    return texts.filter(looksRandom).length;
  };
  const found = [drawn("hex", 32), drawn("hex", 64), drawn("base64url", 22), drawn("base64url", 43)];
  assert.ok(Math.min(...found) > 900, found.join());
});

test("a fetched file has the name that its server gives it, or that of its URL, and no path", () => {
  const url = "https://films.example/a/Der%20Film.mov?X-Signature=secret#end";
  const table: [string | undefined, string, string][] = [
    [undefined, url, "Der Film.mov"],
    ["attachment", url, "Der Film.mov"],
    ["attachment; filename=one.mp4", url, "one.mp4"],
    ['attachment; filename="one two.mp4"', url, "one two.mp4"],
    ['attachment; filename="one \\"two\\".mp4"', url, 'one "two".mp4'],
    ["attachment; filename=\"x.mp4\"; filename*=UTF-8''Stra%C3%9Fe.mp4", url, "Straße.mp4"],
    ["attachment; filename*=utf-8'de'%e2%82%ac.mp4", url, "€.mp4"],
    ["attachment; filename*=ISO-8859-1''x.mp4", url, "Der Film.mov"],
    ['attachment; filename="../../etc/passwd"', url, "passwd"],
    ['attachment; filename="C:\\\\films\\\\a.mov"', url, "a.mov"],
    ['attachment; filename=".."', url, "Der Film.mov"],
    ['attachment; filename="a\u0000\u202eb\u0007.mp4"', url, "ab.mp4"],
    ['attachment; filename=""', url, "Der Film.mov"],
    [undefined, "https://films.example/", "film"],
    [undefined, "https://films.example/a/", "film"],
    [undefined, "https://films.example/download", "film"],
    [undefined, "https://films.example/film.php", "film"],
    [undefined, "https://films.example/s/1f3870be274f6c49b3e31a0c6728957f.mp4", "film"],
    ["inline; filename=a.mp4", "https://films.example/1f3870be274f6c49b3e31a0c6728957f", "a.mp4"],
    [undefined, "https://films.example/%ff.mov", "%ff.mov"],
    [undefined, "https://films.example/a%2fb%2Fc.mov", "c.mov"],
    [undefined, `https://films.example/${"x".repeat(300)}.mp4`, "film"],
    [undefined, `https://films.example/${"x".repeat(250)}.mp4`, `${"x".repeat(250)}.mp4`],
  ];
  for (const [header, from, name] of table) assert.equal(pulledName(header, from), name, header ?? from);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (header) => {
      const name = pulledName(`attachment; filename="${header}"`, url);
      assert.ok(name.length >= 1 && name.length <= 255 && !/[/\\\p{Cc}]/u.test(name));
    }),
  );
});
