import { measureBitrate } from "./bitrate.ts";
import { smallestAvcLevel } from "./conformance/avc-levels.ts";
import { readSps } from "./conformance/sps.ts";
import type { RemuxChoice } from "./encoding.ts";
import type { Ladder, Rung } from "./ladder.ts";
import type { PicturePlan } from "./picture.ts";
import { toNumber } from "./rational.ts";
import type { CodedPicture, Source } from "./source.ts";
import { segmentCount, segmentFrames, type Timeline } from "./timeline.ts";

/**
 * Whether a master is already what its top rung would be. Then its coded pictures are sent on as they are: nothing is lost, and
 * the dearest encode is saved (docs/decisions/remux.md). Pure, from what the probe found, for the whole film at once.
 */

/** 14496-15 5.3.3.1: four bytes of length before each unit, as everything here reads them. */
const FOUR_BYTE_LENGTHS = 3;
/** Apple HLS authoring 1.4: High, as our own rungs are. */
const HIGH_PROFILE = 100;
/** Apple 1.30. */
const MOST_PEAK_OVER_AVERAGE = 2;
/** Apple 1.19. */
const MOST_FRAMES_PER_SECOND = 60;

/** The ladder with its top rung marked where the master stands in for it. */
export function withCopiedTop(
  ladder: Ladder,
  source: Source,
  picture: PicturePlan,
  timeline: Timeline,
  choice: RemuxChoice = "auto",
): Ladder {
  const [top, ...others] = ladder.rungs;
  const isCandidate = choice === "auto" && ladder.codec === "h264" && others.length > 0;
  if (!isCandidate || top === undefined || remuxFault(source, picture, timeline, top) !== null) return ladder;
  return { ...ladder, rungs: [{ ...top, isCopied: true }, ...others] };
}

/** Why a master cannot stand in for this rung, in a word; null where it can. */
export function remuxFault(
  { video, coded }: Source,
  picture: PicturePlan,
  timeline: Timeline,
  rung: Rung,
): string | null {
  if (coded === undefined) return "cut";
  if (video.variableFrameRate || toNumber(timeline.frameRate) > MOST_FRAMES_PER_SECOND + 1e-3) return "rate";
  if (video.codec !== "h264" || video.pixelFormat !== "yuv420p" || video.bitDepth !== 8) return "samples";
  const isOfItsSize = [
    [video.codedWidth, video.width, rung.width],
    [video.codedHeight, video.height, rung.height],
  ].every(([stored, shown, wanted]) => stored === wanted && shown === wanted);
  if (!isOfItsSize || video.rotationDegrees !== 0) return "size";
  if (toNumber(video.sampleAspect) !== 1) return "aspect";
  if (picture.deinterlace !== "none") return "fields";
  if (!areColoursKept(picture)) return "colours";
  return configurationFault(coded, timeline, rung) ?? rateFault(coded, timeline, rung);
}

/** What goes out says which colours it has: those of the master, so that the rungs below look the same. */
function areColoursKept({ input, output, toneMap }: PicturePlan): boolean {
  const isSame =
    input.primaries === output.primaries &&
    input.transfer === output.transfer &&
    input.matrix === output.matrix;
  return isSame && toneMap === "none" && input.range === "limited" && !input.isRgb;
}

/** Profile, level and kind of coding, by the decoder's own configuration (ITU-T H.264 7.3.2.1.1, A.2, A.3). */
function configurationFault(coded: CodedPicture, timeline: Timeline, rung: Rung): string | null {
  const record = Buffer.from(coded.configuration, "base64");
  if (record.length < 8 || (record[4]! & 3) !== FOUR_BYTE_LENGTHS) return "configuration";
  // Several sets: pictures may differ from each other in what they need.
  if ((record[5]! & 0x1f) !== 1) return "configuration";
  const { referenceFrames, frameMbsOnly } = readSps(record.subarray(8, 8 + record.readUInt16BE(6)));
  if (record[1] !== HIGH_PROFILE) return "profile";
  if (!frameMbsOnly) return "fields";
  const { peakBps } = ratesOf(coded, timeline);
  const needed = smallestAvcLevel({ ...rung, referenceFrames }, toNumber(timeline.frameRate), peakBps);
  return record[3]! > needed ? "level" : null;
}

function rateFault(coded: CodedPicture, timeline: Timeline, rung: Rung): string | null {
  const { averageBps, peakBps } = ratesOf(coded, timeline);
  if (peakBps > rung.maxBitrateBps) return "cap";
  return peakBps > MOST_PEAK_OVER_AVERAGE * averageBps ? "peak" : null;
}

function ratesOf({ segmentBytes }: CodedPicture, timeline: Timeline) {
  const seconds = (frames: number): number => frames / toNumber(timeline.frameRate);
  const segments = segmentBytes.slice(0, segmentCount(timeline)).map((bytes, segment) => ({
    bytes,
    durationSeconds: seconds(segmentFrames(timeline, segment).frameCount),
  }));
  return measureBitrate(segments, seconds(timeline.framesPerSegment));
}
