import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assemble } from "../../transcoder/ffmpeg-command.ts";

test("a recipe becomes the arguments that it spells, in order", () => {
  assert.deepEqual(
    assemble({
      globalOptions: ["-nostdin", "-v", "error"],
      inputs: [
        { options: ["-ss", "1.5"], file: "/in/source" },
        { options: [], file: "/in/other" },
      ],
      filterGraph: "[0:0]split=2[a][b]",
      outputs: [
        { options: ["-map", "[a]", "-frames:v", "12"], file: "/out/a.mp4" },
        { options: ["-map", "[b]"], file: "/out/b.mp4" },
      ],
    }),
    [
      ...["-nostdin", "-v", "error", "-ss", "1.5", "-i", "/in/source", "-i", "/in/other", "-y"],
      ...["-filter_complex", "[0:0]split=2[a][b]"],
      ...["-map", "[a]", "-frames:v", "12", "/out/a.mp4", "-map", "[b]", "/out/b.mp4"],
    ],
  );
});

/** What an attacker would try: options, spaces that split, quotes, filter syntax, protocols, control characters. */
const hostile = fc.oneof(
  fc.string({ minLength: 1, unit: "binary" }),
  fc.constantFrom(
    ..."-i|-y|a b|-vf scale=1:1|' -f null|;rm -rf /|$(id)|`id`|movie=/etc/passwd|http://x/|pipe:0|%d|../..|\n|[0:v]|,|:|\\".split(
      "|",
    ),
  ),
);

test("T09 ten thousand hostile strings: each stays the one argument that it was", () => {
  fc.assert(
    fc.property(
      fc.array(hostile, { maxLength: 6 }),
      hostile,
      hostile,
      hostile,
      (options, value, graph, name) => {
        const recipe = {
          globalOptions: ["-nostdin", "-metadata", value],
          inputs: [{ options, file: `/in/${name}` }],
          filterGraph: graph,
          outputs: [{ options: ["-metadata", value, ...options], file: `/out/${name}` }],
        };
        const expected = [
          ...[
            "-nostdin",
            "-metadata",
            value,
            ...options,
            "-i",
            `/in/${name}`,
            "-y",
            "-filter_complex",
            graph,
          ],
          ...["-metadata", value, ...options, `/out/${name}`],
        ];
        assert.deepEqual(assemble(recipe), expected);
      },
    ),
    { numRuns: 10_000, seed: 20_261 },
  );
});

test("what fluent-ffmpeg would rewrite is refused, not run", () => {
  const recipe = {
    globalOptions: [],
    inputs: [{ options: ["-vf scale=1:1"], file: "/in/source" }],
    outputs: [],
  };
  assert.throws(() => assemble(recipe), { code: "internal" });
});
