import type { FindingCode } from "./finding-codes.ts";
import { findingsAt } from "./findings.ts";
import { nameOf } from "./findings-sound.ts";
import { toNumber } from "./rational.ts";
import type { Finding } from "./records/asset.ts";
import type { Source, SourceAudio } from "./source.ts";
import { subtitleFindings } from "./subtitle-plan.ts";
import { secondsOf } from "./time-ranges.ts";

/** Sound that begins or ends further than this from where the picture does is told. */
const SOUND_SLACK_SECONDS = 0.5;
/** What a file states and what it holds may differ by a second or a hundredth. */
const STATED_SLACK_SECONDS = 1;
const STATED_SLACK_RATIO = 0.01;
const HDR_NAMES = { hdr10: "HDR10", hlg: "HLG", pq: "PQ", dolby_vision: "Dolby Vision" };

/** What the probe alone tells a person about a master. Pure; nothing for an ordinary file. */
export function sourceFindings(source: Source): Finding[] {
  return [...pictureFacts(source), ...soundFacts(source), ...fileFacts(source), ...subtitleFindings(source)];
}

function pictureFacts({ video, facts }: Source): Finding[] {
  const found: Finding[] = [];
  const note = (code: FindingCode, message: string): void => {
    found.push({ code, severity: "info", message });
  };
  if (["tt", "bb", "tb", "bt"].includes(video.fieldOrder))
    note("interlaced", "The picture is interlaced: it is made whole, every moment of it kept.");
  // VP8 is always re-timed, whatever its rhythm.
  if (video.variableFrameRate && video.codec !== "vp8")
    note(
      "variable_frame_rate",
      `Frames come at uneven times or too often: they are put to ${toNumber(video.frameRate).toFixed(3)} a second.`,
    );
  if (video.rotationDegrees !== 0)
    note("rotated", `The picture is stored turned and is shown turned by ${video.rotationDegrees}°.`);
  if (video.sampleAspect.num !== video.sampleAspect.den)
    note(
      "odd_sample_aspect",
      `Samples are ${video.sampleAspect.num}:${video.sampleAspect.den}, not square: ${video.codedWidth}×${video.codedHeight} is shown as ${video.width}×${video.height}.`,
    );
  if (facts?.hdr) note("hdr", `The picture has a high dynamic range (${HDR_NAMES[facts.hdr.kind]}).`);
  const gaps = findingsAt(facts?.gaps ?? [], (gap) => ({
    code: "gaps",
    severity: "warning",
    message: `The file holds no picture for ${secondsOf(gap).toFixed(1)} s: the last one stands.`,
  }));
  return [...found, ...gaps];
}

function soundFacts(source: Source): Finding[] {
  if (source.audio.length === 0)
    return [{ code: "missing_audio", severity: "warning", message: "The file has no sound." }];
  return source.audio.flatMap((track) => [...shortSound(track, source), ...longSound(track, source)]);
}

/** What is heard while there is no picture is left out: no player has a place for it. */
function longSound(track: SourceAudio, { video, durationSeconds }: Source): Finding[] {
  const before = video.startSeconds - track.startSeconds;
  const after = track.durationSeconds - before - durationSeconds;
  return [
    ...(before > SOUND_SLACK_SECONDS ? [`begins ${before.toFixed(1)} s before the picture`] : []),
    ...(after > SOUND_SLACK_SECONDS ? [`goes on for ${after.toFixed(1)} s after the picture`] : []),
  ].map((what) => ({
    code: "long_audio",
    severity: "warning",
    message: `${nameOf(track)} ${what}: that part is left out.`,
  }));
}

function shortSound(track: SourceAudio, { video, durationSeconds }: Source): Finding[] {
  const start = track.startSeconds - video.startSeconds;
  const end = start + track.durationSeconds;
  const code = "short_audio";
  const name = nameOf(track);
  return [
    ...(start > SOUND_SLACK_SECONDS
      ? findingsAt([{ startSeconds: 0, endSeconds: Math.min(start, durationSeconds) }], () => ({
          code,
          severity: "warning",
          message: `${name} begins ${start.toFixed(1)} s after the picture.`,
        }))
      : []),
    ...(end < durationSeconds - SOUND_SLACK_SECONDS
      ? findingsAt([{ startSeconds: Math.max(0, end), endSeconds: durationSeconds }], () => ({
          code,
          severity: "warning",
          message: `${name} ends ${(durationSeconds - end).toFixed(1)} s before the picture.`,
        }))
      : []),
  ];
}

function fileFacts({ facts }: Source): Finding[] {
  const found: Finding[] = [];
  const stated = facts?.statedSeconds ?? null;
  if (facts !== undefined && stated !== null) {
    const slack = Math.max(STATED_SLACK_SECONDS, stated * STATED_SLACK_RATIO);
    if (Math.abs(stated - facts.heldSeconds) > slack) {
      const message = `The file states ${stated.toFixed(1)} s and holds ${facts.heldSeconds.toFixed(1)} s.`;
      found.push({ code: "duration_mismatch", severity: "warning", message });
    }
  }
  const ignored = facts?.streams.filter(({ isIgnored }) => isIgnored) ?? [];
  if (ignored.length > 0) {
    const list = ignored.map(({ index, kind, codec }) => `${index} (${kind}, ${codec})`).join(", ");
    found.push({
      code: "ignored_streams",
      severity: "info",
      message: `Streams that nothing is made of: ${list}.`,
    });
  }
  return found;
}
