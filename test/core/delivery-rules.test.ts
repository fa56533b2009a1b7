import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerFor, contentTypeOf, needsFactsFirst, type ObjectRequest } from "../../core/delivery-rules.ts";
import { acceptsGzip, evaluateConditions, parseRange, rangeIsWanted } from "../../core/http-conditions.ts";

const MODIFIED = new Date("2026-01-02T03:04:05.678Z");
const MODIFIED_TEXT = "Fri, 02 Jan 2026 03:04:05 GMT";
const SEGMENT = { sizeBytes: 1_000, etag: '"e1"', contentEncoding: null, lastModified: MODIFIED };
const PLAYLIST = { ...SEGMENT, contentEncoding: "gzip" };

function get(
  path: string,
  conditions: ObjectRequest["conditions"] = {},
  acceptEncoding?: string,
): ObjectRequest {
  return { method: "GET", path, conditions, acceptEncoding };
}

test("the type follows from the name alone (HLS 10.4)", () => {
  const cases: [string, string][] = [
    ["/as_1/g/main.m3u8", "application/vnd.apple.mpegurl"],
    ["/as_1/g/main.mpd", "application/dash+xml"],
    ["/as_1/g/video/1080p/init.mp4", "video/mp4"],
    ["/as_1/g/video/1080p/00001.m4s", "video/iso.segment"],
    ["/as_1/g/audio/a0/init.mp4", "audio/mp4"],
    ["/as_1/g/audio/a0/00001.m4s", "audio/mp4"],
    ["/as_1/g/audio/a0/media.m3u8", "application/vnd.apple.mpegurl"],
    ["/as_1/g/text/en/00001.vtt", "text/vtt; charset=utf-8"],
    ["/as_1/g/images/poster.jpg", "image/jpeg"],
    ["/as_1/g/page.html", "application/octet-stream"],
    ["/as_1/g/picture.svg", "application/octet-stream"],
    ["/as_1/g/constructor", "application/octet-stream"],
    ["/as_1/g/x.constructor", "application/octet-stream"],
  ];
  for (const [path, type] of cases) assert.equal(contentTypeOf(path), type, path);
});

test("a range is read as RFC 9110 says, one at a time", () => {
  const cases: [string, ReturnType<typeof parseRange>][] = [
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=0-999", { start: 0, end: 999 }],
    ["bytes=0-5000", { start: 0, end: 999 }],
    ["bytes=990-", { start: 990, end: 999 }],
    ["bytes=-10", { start: 990, end: 999 }],
    ["bytes=-5000", { start: 0, end: 999 }],
    ["Bytes=1-2", { start: 1, end: 2 }],
    ["bytes=1000-", "unsatisfiable"],
    ["bytes=1000-2000", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", "whole"],
    ["bytes=-", "whole"],
    ["bytes=", "whole"],
    ["bytes=0-1,5-6", "whole"],
    ["items=0-1", "whole"],
    ["bytes=a-b", "whole"],
    ["bytes=1.5-3", "whole"],
    ["bytes=--1", "whole"],
    // However many digits: beyond what a number holds exactly, and beyond what it holds at all.
    ["bytes=9999999999999999999999-", "unsatisfiable"],
    [`bytes=${"9".repeat(400)}-`, "unsatisfiable"],
    [`bytes=1-${"9".repeat(400)}`, { start: 1, end: 999 }],
    [`bytes=-${"9".repeat(400)}`, { start: 0, end: 999 }],
  ];
  for (const [header, expected] of cases) assert.deepEqual(parseRange(header, 1_000), expected, header);
  assert.equal(parseRange("bytes=0-", 0), "unsatisfiable");
  assert.equal(parseRange("bytes=-1", 0), "unsatisfiable");
});

test("whatever the range header, what is sent lies within the object", () => {
  const bound = fc.oneof(fc.constant(""), fc.nat(3_000).map(String), fc.string({ maxLength: 4 }));
  fc.assert(
    fc.property(bound, bound, fc.nat(2_000), (first, last, sizeBytes) => {
      const range = parseRange(`bytes=${first}-${last}`, sizeBytes);
      if (typeof range === "string") return;
      assert.ok(range.start >= 0 && range.start <= range.end && range.end < sizeBytes);
      const bytes = Array.from({ length: sizeBytes }, (_, at) => at);
      const sent = bytes.slice(range.start, range.end + 1);
      const asked =
        first === ""
          ? bytes.slice(-Number(last))
          : bytes.slice(Number(first), last === "" ? undefined : Number(last) + 1);
      assert.deepEqual(sent, asked);
    }),
  );
});

test("conditions are judged in the order of RFC 9110 §13.2.2", () => {
  const now = { etag: '"e1"', lastModified: MODIFIED };
  const later = "Fri, 02 Jan 2026 03:04:06 GMT";
  const earlier = "Fri, 02 Jan 2026 03:04:04 GMT";
  const cases: [Parameters<typeof evaluateConditions>[0], number][] = [
    [{}, 200],
    [{ ifMatch: '"e1"' }, 200],
    [{ ifMatch: '"e0", "e1"' }, 200],
    [{ ifMatch: "*" }, 200],
    [{ ifMatch: '"e0"' }, 412],
    [{ ifMatch: 'W/"e1"' }, 412],
    [{ ifMatch: '"e1"', ifUnmodifiedSince: earlier }, 200],
    [{ ifUnmodifiedSince: earlier }, 412],
    [{ ifUnmodifiedSince: MODIFIED_TEXT }, 200],
    [{ ifUnmodifiedSince: "never" }, 200],
    [{ ifNoneMatch: '"e1"' }, 304],
    [{ ifNoneMatch: 'W/"e1"' }, 304],
    [{ ifNoneMatch: '"e0", "e1"' }, 304],
    [{ ifNoneMatch: "*" }, 304],
    [{ ifNoneMatch: '"e0"' }, 200],
    [{ ifNoneMatch: '"e0"', ifModifiedSince: later }, 200],
    [{ ifModifiedSince: MODIFIED_TEXT }, 304],
    [{ ifModifiedSince: later }, 304],
    [{ ifModifiedSince: earlier }, 200],
    [{ ifModifiedSince: "yesterday" }, 200],
    [{ ifMatch: '"e0"', ifNoneMatch: '"e1"' }, 412],
  ];
  for (const [headers, status] of cases) {
    assert.equal(evaluateConditions(headers, now), status, JSON.stringify(headers));
  }
});

test("If-Range lets a range through only for the very same bytes", () => {
  const now = { etag: '"e1"', lastModified: MODIFIED };
  const cases: [string | undefined, boolean][] = [
    [undefined, true],
    ['"e1"', true],
    [MODIFIED_TEXT, true],
    ['"e0"', false],
    ['W/"e1"', false],
    ["Fri, 02 Jan 2026 03:04:06 GMT", false],
    ["", false],
  ];
  for (const [ifRange, wanted] of cases) {
    assert.equal(rangeIsWanted({ range: "bytes=0-1", ifRange }, now), wanted, String(ifRange));
  }
  assert.equal(rangeIsWanted({ ifRange: '"e1"' }, now), false);
});

test("gzip is sent to those who take it", () => {
  const cases: [string | undefined, boolean][] = [
    [undefined, false],
    ["", false],
    ["gzip", true],
    ["gzip, deflate, br", true],
    ["br;q=1.0, GZIP;q=0.5", true],
    ["x-gzip", true],
    ["*", true],
    ["gzip;q=0", false],
    ["gzip; q=0.0, *", false],
    ["*;q=0", false],
    ["identity", false],
    ["gzipped", false],
    ["gzip;q=abc", false],
  ];
  for (const [header, expected] of cases) assert.equal(acceptsGzip(header), expected, String(header));
});

test("a segment is whole, ranged, unchanged, refused or out of range", () => {
  const path = "/as_1/g/video/1080p/00001.m4s";
  const whole = answerFor(get(path), SEGMENT);
  assert.deepEqual(whole, {
    status: 200,
    headers: {
      "cache-control": "public, max-age=31536000, immutable",
      etag: '"e1"',
      "last-modified": MODIFIED_TEXT,
      "content-type": "video/iso.segment",
      "accept-ranges": "bytes",
      "content-length": "1000",
    },
    body: { kind: "stored" },
  });
  const part = answerFor(get(path, { range: "bytes=10-19" }), SEGMENT);
  assert.deepEqual(
    [part.status, part.headers["content-range"], part.headers["content-length"], part.body],
    [206, "bytes 10-19/1000", "10", { kind: "stored", range: { start: 10, end: 19 } }],
  );
  const behind = answerFor(get(path, { range: "bytes=1000-" }), SEGMENT);
  assert.deepEqual(behind, {
    status: 416,
    headers: { "content-range": "bytes */1000" },
    body: { kind: "none" },
  });
  const same = answerFor(get(path, { ifNoneMatch: '"e1"', range: "bytes=10-19" }), SEGMENT);
  assert.deepEqual([same.status, same.headers.etag, same.body.kind], [304, '"e1"', "none"]);
  assert.equal(answerFor(get(path, { ifMatch: '"e0"' }), SEGMENT).status, 412);
  const look = answerFor({ ...get(path, { range: "bytes=10-19" }), method: "HEAD" }, SEGMENT);
  assert.deepEqual([look.status, look.headers["content-length"]], [200, "1000"]);
});

test("a playlist is sent gzipped or unpacked, each with its own ETag, and never in ranges", () => {
  const path = "/as_1/g/main.m3u8";
  const packed = answerFor(get(path, { range: "bytes=0-9" }, "gzip"), PLAYLIST);
  assert.deepEqual(
    [
      packed.status,
      packed.headers["content-encoding"],
      packed.headers["content-length"],
      packed.headers.vary,
    ],
    [200, "gzip", "1000", "Accept-Encoding"],
  );
  const plain = answerFor(get(path, { range: "bytes=0-9" }), PLAYLIST);
  assert.deepEqual(
    [
      plain.status,
      plain.headers["content-encoding"],
      plain.headers["content-length"],
      plain.headers.vary,
      plain.body.kind,
    ],
    [200, undefined, undefined, "Accept-Encoding", "gunzipped"],
  );
  assert.notEqual(plain.headers.etag, packed.headers.etag);
  assert.equal(answerFor(get(path, { ifNoneMatch: packed.headers.etag }, "gzip"), PLAYLIST).status, 304);
  assert.equal(answerFor(get(path, { ifNoneMatch: packed.headers.etag }), PLAYLIST).status, 200);
  assert.equal(answerFor(get(path, { ifNoneMatch: plain.headers.etag }), PLAYLIST).status, 304);
  assert.equal(packed.headers["accept-ranges"], "none");
});

test("only a plain GET may be opened before its facts are known", () => {
  const path = "/as_1/g/main.m3u8";
  assert.equal(needsFactsFirst(get(path)), false);
  assert.equal(needsFactsFirst(get(path, { range: undefined })), false);
  assert.equal(needsFactsFirst(get(path, { ifRange: '"e1"' })), true);
  assert.equal(needsFactsFirst({ ...get(path), method: "HEAD" }), true);
});
