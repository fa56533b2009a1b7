import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommand } from "../../studio/cli/read-command.ts";
import type { EncodingWish } from "../../studio/encoding-wish.ts";

/** What the command line makes of its words. */

function encodingOf(...words: string[]): EncodingWish | null {
  const command = readCommand(["a.mov", ...words], {});
  return "isFault" in command ? null : command.options.encoding;
}

test("of the encoding is said what was asked for, in the API's words, and nothing else", () => {
  assert.deepEqual(encodingOf("--publish"), {});
  assert.deepEqual(encodingOf("--codecs", " av1, hevc,av1"), { codecs: ["hevc", "av1"] });
  const words = "--speed small --ladder title --lane backfill --hardware allow --remux never --clearkey";
  assert.deepEqual(encodingOf(...words.split(" "), "--codecs", "h264,hevc"), {
    codecs: ["h264", "hevc"],
    speed: "small",
    ladder: "title",
    lane: "backfill",
    hardware: "allow",
    remux: "never",
    protection: "clearkey",
  });
});

test("help is no fault, a word that is none is one", () => {
  const [write, said] = [process.stdout.write, [] as string[]];
  process.stdout.write = (text: string) => said.push(text) > 0;
  try {
    assert.deepEqual(readCommand(["--help"], {}), { isFault: false });
  } finally {
    process.stdout.write = write;
  }
  for (const name of ["speed", "ladder", "codecs", "lane", "hardware", "remux"])
    assert.match(said.join(""), new RegExp(`--${name} <`));
  assert.deepEqual(readCommand(["a.mov", "--ladder", "own"], {}), { isFault: true });
});
