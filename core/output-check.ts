import { allRungs, type Plan } from "./plan.ts";
import type { ProducedTrack } from "./produced-track.ts";
import { type ProofLine, proved, untold } from "./proof.ts";
import type { Source } from "./source.ts";
import { segmentFrames, timelineSeconds } from "./timeline.ts";

/** RELIABILITY F25's bound: more than a tenth of a second, or a thousandth, is another title. */
function toleranceSeconds(durationSeconds: number): number {
  return Math.max(0.1, durationSeconds / 1000);
}

/** How far a track may come out from what its one fixed gain was to bring it to (BS.1770, LU). */
const LOUDNESS_TOLERANCE_LU = 1;
const PACKAGE = "package";

/** Compares what was made with the master that it was made from: tracks, length, pictures, loudness. Pure. */
export function checkOutput(
  plan: Plan,
  source: Source,
  tracks: ReadonlyMap<string, ProducedTrack>,
): ProofLine[] {
  return [
    checkTracks(plan, source, tracks),
    ...[...tracks.values()].map((track) => checkDuration(plan, source, track)),
    ...allRungs(plan).map(({ id }) => checkFrames(plan, source, id, tracks.get(id))),
    ...plan.audio.map(({ id }) => checkLoudness(plan, id, tracks.get(id))),
  ];
}

/** Every sound of the master has come out, in the language and role that it has there; every rung is there. */
function checkTracks(plan: Plan, source: Source, tracks: ReadonlyMap<string, ProducedTrack>): ProofLine {
  const planned = [...allRungs(plan), ...plan.audio].map(({ id }) => id);
  const missing = planned.filter((id) => !tracks.has(id)).map((id) => `${id} was not made`);
  const silent = source.audio
    .filter(
      ({ streamIndex, language, role }) =>
        !plan.audio.some(
          (track) => track.streamIndex === streamIndex && track.language === language && track.role === role,
        ),
    )
    .map(({ streamIndex }) => `stream ${streamIndex} of the master has no track`);
  return proved(
    PACKAGE,
    "tracks",
    [...missing, ...silent],
    `${planned.length} tracks, ${source.audio.length} sounds`,
  );
}

function checkDuration(plan: Plan, source: Source, track: ProducedTrack): ProofLine {
  const seconds = track.cells.reduce((sum, cell) => sum + cell.durationTicks, 0) / track.timescale;
  const away = seconds - source.durationSeconds;
  const told = `${seconds.toFixed(3)} s, the master ${source.durationSeconds.toFixed(3)} s`;
  const isWhole =
    Math.abs(away) <= toleranceSeconds(source.durationSeconds) &&
    Math.abs(seconds - timelineSeconds(plan.timeline)) <= toleranceSeconds(source.durationSeconds);
  return proved(track.trackId, "duration", isWhole ? [] : [told], told);
}

/** The master's frames, each once: twice as many where every field has become one. */
function checkFrames(plan: Plan, source: Source, id: string, track: ProducedTrack | undefined): ProofLine {
  if (track === undefined) return untold(id, "frames", "it was not made");
  const { timeline, picture } = plan;
  const wanted = source.video.frameCount * (picture.deinterlace === "fields" ? 2 : 1);
  const made = track.cells.reduce((sum, cell) => sum + cell.durationTicks, 0) / timeline.ticksPerFrame;
  const short = track.cells.filter(
    (cell) =>
      cell.durationTicks !== segmentFrames(timeline, cell.segment).frameCount * timeline.ticksPerFrame,
  );
  const faults = [
    ...(made === wanted ? [] : [`${made} frames, the master has ${wanted}`]),
    ...short.map(({ segment }) => `segment ${segment} is not as long as planned`),
  ];
  return proved(id, "frames", faults, `${made} frames`);
}

/** At the target, or where one fixed gain must leave it below, where that gain was to bring it. */
function checkLoudness(plan: Plan, id: string, track: ProducedTrack | undefined): ProofLine {
  const found = track?.loudnessLufs;
  const target = plan.loudnessTargetLufs;
  if (found == null || target === null)
    return untold(id, "loudness", target === null ? "loudness is left as it is" : "silent");
  const aim = track?.aimedLufs ?? null;
  const told = `${found} LUFS, the target ${target}${aim === null ? ", peaks limited" : `, the gain's aim ${aim}`}`;
  const isLoud = found > target + LOUDNESS_TOLERANCE_LU;
  const isMissed = aim !== null && Math.abs(found - aim) > LOUDNESS_TOLERANCE_LU;
  return proved(id, "loudness", isLoud || isMissed ? [told] : [], told);
}
