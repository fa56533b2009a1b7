import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventStreamParser, readEvents, type StreamEvent } from "../../studio/event-stream.ts";

function parse(text: string): StreamEvent[] {
  return new EventStreamParser().push(text);
}

test("the standard's own examples", () => {
  assert.deepEqual(parse("data: YHOO\ndata: +2\ndata: 10\n\n"), [
    { event: "message", data: "YHOO\n+2\n10", id: "" },
  ]);
  assert.deepEqual(
    parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
    [
      { event: "message", data: "first event", id: "1" },
      { event: "message", data: "second event", id: "" },
      { event: "message", data: " third event", id: "" },
    ],
  );
  assert.deepEqual(parse("data\n\ndata\ndata\n\ndata:"), [
    { event: "message", data: "", id: "" },
    { event: "message", data: "\n", id: "" },
  ]);
});

test("a name holds for one event, an id until the next, and an event without data is none", () => {
  assert.deepEqual(parse("event: asset\nid: 7\ndata: a\n\nevent: asset\n\ndata: b\n\n"), [
    { event: "asset", data: "a", id: "7" },
    { event: "message", data: "b", id: "7" },
  ]);
  assert.deepEqual(parse("\uFEFFdata: a\nid: x\0y\nretry: 3\nother: 1\n\n"), [
    { event: "message", data: "a", id: "" },
  ]);
});

test("wherever the text is cut and however its lines end, the events are the same", () => {
  const words = fc.stringMatching(/^[a-zé:]{0,6}$/);
  const events = fc.array(
    fc.record({ event: fc.stringMatching(/^[a-z]{1,5}$/), data: fc.array(words, { minLength: 1 }) }),
  );
  const lineEnds = fc.constantFrom("\n", "\r", "\r\n");
  fc.assert(
    fc.property(
      events,
      lineEnds,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (wanted, end, cuts) => {
        const text = wanted
          .map(({ event, data }) =>
            [`event: ${event}`, ...data.map((line) => `data: ${line}`), "", ": end", ""].join(end),
          )
          .join("");
        const parser = new EventStreamParser();
        const got: StreamEvent[] = [];
        for (let at = 0, turn = 0; at < text.length; turn++) {
          const length = cuts[turn % cuts.length]!;
          got.push(...parser.push(text.slice(at, at + length)));
          at += length;
        }
        assert.deepEqual(
          got,
          wanted.map(({ event, data }) => ({ event, data: data.join("\n"), id: "" })),
        );
      },
    ),
  );
});

test("a character cut in two by the network comes whole out of a body", async () => {
  const bytes = new TextEncoder().encode("event: asset\ndata: Frühstück\n\n");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  assert.deepEqual(await Array.fromAsync(readEvents(body)), [{ event: "asset", data: "Frühstück", id: "" }]);
});
