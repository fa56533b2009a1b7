import assert from "node:assert/strict";
import { test } from "node:test";
import { readBoxes } from "../../core/box-reader.ts";
import { withHdrBoxes } from "../../core/hdr-boxes.ts";
import { type ProbeSideData, readHdrMetadata } from "../../core/hdr-metadata.ts";
import { readInit, splitInit } from "../../core/init-segment.ts";
import type { HdrMetadata } from "../../core/source.ts";
import { fragmentedVideo } from "../rig/fragmented.ts";

/** As ffprobe prints the side data of a P3 master graded on 1,000 cd/m². */
const DISPLAY: ProbeSideData = {
  side_data_type: "Mastering display metadata",
  red_x: "34000/50000",
  red_y: "16000/50000",
  green_x: "13250/50000",
  green_y: "34500/50000",
  blue_x: "7500/50000",
  blue_y: "3000/50000",
  white_point_x: "15635/50000",
  white_point_y: "16450/50000",
  min_luminance: "1/10000",
  max_luminance: "10000000/10000",
};
const LIGHT: ProbeSideData = {
  side_data_type: "Content light level metadata",
  max_content: 1000,
  max_average: 400,
};

test("static metadata is read where it can be true, and else taken for not said", () => {
  const whole = readHdrMetadata([DISPLAY, LIGHT]);
  assert.deepEqual(whole?.contentLight, { max: 1000, maxAverage: 400 });
  assert.deepEqual(whole?.masteringDisplay?.green, { x: 0.265, y: 0.69 });
  assert.equal(whole?.masteringDisplay?.maxLuminance, 1000);
  assert.equal(readHdrMetadata(undefined, [{ rotation: 90 }]), undefined);
  assert.deepEqual(readHdrMetadata([], [LIGHT]), { contentLight: { max: 1000, maxAverage: 400 } });
  assert.equal(readHdrMetadata([{ ...DISPLAY, min_luminance: "0/1" }])?.masteringDisplay?.minLuminance, 0);
  const nonsense: ProbeSideData[] = [
    { ...DISPLAY, max_luminance: "0/1" },
    { ...DISPLAY, max_luminance: "900000000/10000" },
    { ...DISPLAY, red_x: "60000/50000" },
    { ...DISPLAY, white_point_y: "a" },
    { ...LIGHT, max_content: 0 },
    { ...LIGHT, max_content: 70_000 },
  ];
  for (const side of nonsense) assert.equal(readHdrMetadata([side]), undefined, JSON.stringify(side));
});

test("boxes for it are put into the sample entry, once, and every box around grows", async () => {
  const { init } = splitInit(await fragmentedVideo());
  const hdr = readHdrMetadata([DISPLAY, LIGHT]) as HdrMetadata;
  const grown = withHdrBoxes(init, hdr);
  assert.equal(grown.length, init.length + 32 + 12);
  const facts = readInit(grown);
  const children = readBoxes(facts.sampleEntryBytes, 86);
  const body = (type: string): string => {
    const box = children.find((one) => one.type === type)!;
    return Buffer.from(facts.sampleEntryBytes.subarray(box.body, box.end)).toString("hex");
  };
  // Green, blue, red, white, brightest, darkest (14496-12 12.1.6).
  assert.equal(body("mdcv"), "33c286c41d4c0bb884d03e803d1340420098968000000001");
  assert.equal(body("clli"), "03e80190");
  assert.deepEqual(withHdrBoxes(grown, hdr), grown, "what is there stays alone");
  assert.deepEqual(
    { ...facts, sampleEntryBytes: null },
    { ...readInit(init), sampleEntryBytes: null },
    "nothing else changed",
  );
});
