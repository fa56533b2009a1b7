import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeText } from "../../api/decode-text.ts";

/** Shift_JIS of 「こんにちは、世界。元気ですか？」. */
const JAPANESE = "82b182f182c982bf82cd814190a28a4581428cb38b4382c582b782a98148";

function utf16(text: string, isBigEndian: boolean): Buffer {
  const bytes = Buffer.from(text, "utf16le");
  return isBigEndian ? bytes.swap16() : bytes;
}

test("texts in many letters come out as they were written", () => {
  const german = "1\r\n00:00:01,000 --> 00:00:02,000\r\nÜber die Brücke führt kein Weg zurück.\r\n";
  const russian = "00:00:01,000 --> 00:00:02,000\nПривет, как у вас дела сегодня? Всё хорошо.\n";
  const table: [string, Uint8Array, string][] = [
    ["UTF-8", Buffer.from(german), german],
    ["UTF-8 with its mark", Buffer.from(`\ufeff${german}`), german],
    ["Latin-1", Buffer.from(german, "latin1"), german],
    ["UTF-16, marked", utf16(`\ufeff${german}`, false), german],
    ["UTF-16 the other way, marked", utf16(`\ufeff${russian}`, true), russian],
    ["UTF-16, not marked", utf16(german, false), german],
    ["UTF-16 the other way, not marked", utf16(german, true), german],
    ["a few letters", Buffer.from("Größe", "latin1"), "Größe"],
    ["nothing", new Uint8Array(), ""],
  ];
  for (const [name, bytes, text] of table) assert.equal(decodeText(bytes), text, name);
  assert.equal(decodeText(Buffer.from(JAPANESE, "hex")).slice(0, 5), "こんにちは");
  // Windows-1251, each letter of its own.
  const cyrillic = Buffer.from([...russian].map((letter) => letters1251(letter)));
  assert.equal(decodeText(cyrillic), russian);
});

function letters1251(letter: string): number {
  const code = letter.codePointAt(0)!;
  if (letter === "ё") return 0xb8;
  return code >= 0x410 && code <= 0x44f ? code - 0x410 + 0xc0 : code;
}
