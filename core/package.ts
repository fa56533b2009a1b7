import { type MeasuredBitrate, measureBitrate } from "./bitrate.ts";
import type { ContentProtection } from "./clear-key.ts";
import {
  DASH_MANIFEST,
  IFRAME_PLAYLIST_NAME,
  INIT_NAME,
  MAIN_PLAYLIST,
  MEDIA_PLAYLIST_NAME,
  segmentName,
  trackFolder,
} from "./keys.ts";
import type { Ladder, Rung } from "./ladder.ts";
import { languageName } from "./language-name.ts";
import { dashManifest, type MpdAudio, type MpdVideo } from "./mpd.ts";
import {
  type AudioRendition,
  type IFrameVariant,
  multivariantPlaylist,
  type VideoVariant,
} from "./multivariant.ts";
import { packageTexts } from "./package-subtitles.ts";
import { type Colour, pictureFor } from "./picture.ts";
import { type AudioTrack, allRungs, type Plan } from "./plan.ts";
import { mediaPlaylist, type PlaylistSegment, targetDurationSeconds } from "./playlist.ts";
import { type Quality, qualityOfCells } from "./quality.ts";
import type { Rendition } from "./records/asset.ts";
import type { CellRecord, TaskResult, TextResult } from "./records/task-result.ts";
import type { TrickPlay } from "./trick-play.ts";

/** One track with all its cells, in order. */
export type ProducedTrack = TaskResult["tracks"][number];

/** A playlist or manifest of the package: its path below the package's prefix and its text. */
export interface PackageFile {
  path: string;
  text: string;
}

export interface Package {
  playlists: PackageFile[];
  renditions: Rendition[];
}

/**
 * Joins what the tasks made into whole tracks, cells in order. Throws where a cell is missing or twice, or where
 * parts of one track do not share one init segment.
 */
export function joinTracks(results: readonly TaskResult[], segments: number): Map<string, ProducedTrack> {
  const tracks = new Map<string, ProducedTrack>();
  for (const part of results.flatMap((result) => result.tracks)) {
    const known = tracks.get(part.trackId);
    if (known === undefined) tracks.set(part.trackId, { ...part, cells: [...part.cells] });
    else if (known.initSha256 !== part.initSha256)
      throw new RangeError(`two init segments for ${part.trackId}`);
    else known.cells.push(...part.cells);
  }
  for (const track of tracks.values()) {
    track.cells.sort((a, b) => a.segment - b.segment);
    if (track.cells.length !== segments || track.cells.some((cell, index) => cell.segment !== index)) {
      throw new RangeError(`${track.trackId} has ${track.cells.length} of ${segments} segments`);
    }
  }
  return tracks;
}

/** Every playlist of the package and what each rendition measures, from produced bytes alone. */
export function buildPackage(
  plan: Plan,
  tracks: ReadonlyMap<string, ProducedTrack>,
  texts: readonly TextResult[] = [],
): Package {
  const need = (trackId: string): ProducedTrack => {
    const track = tracks.get(trackId);
    if (track === undefined) throw new RangeError(`no track ${trackId}`);
    return track;
  };
  const all = [...allRungs(plan), ...plan.audio].map(({ id }) => need(id));
  // Apple 8.2, RFC 8216bis 6.2.4: one target duration over all renditions.
  const target = Math.max(...all.map((track) => targetDurationSeconds(entries(track), track.timescale)));
  const { protection } = plan;
  const shared: Shared = { target, protection };
  const video = plan.ladders.flatMap((ladder) => {
    const { output } = pictureFor(plan.picture, ladder.range);
    return ladder.rungs.map((rung) => describeRung(ladder, rung, output, need(rung.id), shared));
  });
  const trick = describeTrick(plan.trickPlay, need(plan.trickPlay.id), shared);
  const names = audioNames(plan.audio);
  const audio = plan.audio.map((track) =>
    describeAudio(track, names.get(soundOf(track)) ?? track.id, need(track.id), shared),
  );
  const subtitles = packageTexts(plan.subtitles, texts, plan.timeline, target);
  const main = multivariantPlaylist(
    video.map((one) => one.variant),
    audio.map((one) => one.rendition),
    plan.timeline.frameRate,
    trick.variant,
    subtitles.map((one) => one.rendition),
    protection,
  );
  const mpd = dashManifest({
    video: video.map((one) => one.dash),
    audio: audio.map((one) => one.dash),
    text: subtitles.map((one) => one.dash),
    frameRate: plan.timeline.frameRate,
    frameCount: plan.timeline.frameCount,
    targetDurationSeconds: target,
    protection,
  });
  return {
    playlists: [
      ...video.flatMap((one) => one.files),
      trick.file,
      ...audio.flatMap((one) => one.files),
      ...subtitles.map((one) => one.playlist),
      { path: DASH_MANIFEST, text: mpd },
      { path: MAIN_PLAYLIST, text: main },
    ],
    renditions: [...video, ...audio, ...subtitles, trick].map((one) => one.record),
  };
}

/** What all media playlists of a package have in common. */
interface Shared {
  /** Target duration, in seconds. */
  target: number;
  protection: ContentProtection | undefined;
}

function describeRung(
  { id: ladderId, range }: Ladder,
  rung: Rung,
  colour: Colour,
  track: ProducedTrack,
  shared: Shared,
) {
  const { target, protection } = shared;
  const folder = trackFolder("video", rung.id);
  const measured = measure(track, target);
  const iFrame = describeIFrames({ id: ladderId, range }, rung, track, shared);
  const variant: VideoVariant = { ...iFrame.variant, uri: folder + MEDIA_PLAYLIST_NAME, measured };
  const text = mediaPlaylist({
    initUri: INIT_NAME,
    timescale: track.timescale,
    segments: entries(track),
    targetDurationSeconds: target,
    protection,
  });
  const files: PackageFile[] = [{ path: variant.uri, text }, iFrame.file];
  const record: Rendition = {
    id: rung.id,
    kind: "video",
    codec: track.codec,
    // Of the usual range nothing is said.
    ...(range === "SDR" ? {} : { range }),
    ...(rung.isCopied === true ? { isCopied: true as const } : {}),
    width: rung.width,
    height: rung.height,
    ...measured,
    ...stated(qualityOfCells(track.cells)),
    bytes: totalBytes(track),
  };
  const { width, height } = rung;
  const identity = { id: rung.id, ladderId, codec: track.codec, range, colour };
  const dash: MpdVideo = { ...identity, width, height, ...timing(track), measured };
  return { variant, files, record, dash };
}

/** Pictures that are for seeking alone: no variant plays them, so they are told of as images. */
function describeTrick(plan: TrickPlay, track: ProducedTrack, shared: Shared) {
  const { variant, file } = describeIFrames({ id: plan.ladderId, range: "SDR" }, plan, track, shared);
  const { id, width, height } = plan;
  const record: Rendition = {
    id,
    kind: "image",
    codec: track.codec,
    width,
    height,
    ...variant.iFrameMeasured,
    bytes: totalBytes(track),
  };
  return { variant, file, record };
}

function describeIFrames(
  { id: ladderId, range }: Pick<Ladder, "id" | "range">,
  { id, width, height }: Pick<Rung, "id" | "width" | "height">,
  track: ProducedTrack,
  { protection }: Shared,
) {
  const frames = iFrames(track);
  const target = targetDurationSeconds(frames, track.timescale);
  const iFrameMeasured = measureBitrate(
    frames.map((frame) => ({
      bytes: frame.byteRange?.length ?? 0,
      durationSeconds: frame.durationTicks / track.timescale,
    })),
    target,
  );
  const iFrameUri = trackFolder("video", id) + IFRAME_PLAYLIST_NAME;
  const { codec } = track;
  const variant: IFrameVariant = { iFrameUri, codec, ladderId, range, width, height, iFrameMeasured };
  const text = mediaPlaylist({
    initUri: INIT_NAME,
    timescale: track.timescale,
    segments: frames,
    targetDurationSeconds: target,
    iFramesOnly: true,
    protection,
  });
  return { variant, file: { path: iFrameUri, text } satisfies PackageFile };
}

function stated(quality: Quality | null): Pick<Rendition, "quality"> {
  return quality === null ? {} : { quality };
}

function describeAudio(plan: AudioTrack, name: string, track: ProducedTrack, { target, protection }: Shared) {
  const uri = trackFolder("audio", plan.id) + MEDIA_PLAYLIST_NAME;
  const measured = measure(track, target);
  const rendition: AudioRendition = {
    uri,
    name,
    language: plan.language,
    role: plan.role,
    codec: track.codec,
    channels: plan.channels,
    measured,
  };
  const text = mediaPlaylist({
    initUri: INIT_NAME,
    timescale: track.timescale,
    segments: entries(track),
    targetDurationSeconds: target,
    protection,
  });
  const record: Rendition = {
    id: plan.id,
    kind: "audio",
    codec: track.codec,
    language: plan.language,
    label: name,
    role: plan.role,
    channels: plan.channels,
    ...(track.loudnessLufs == null ? {} : { loudnessLufs: track.loudnessLufs }),
    ...measured,
    bytes: totalBytes(track),
  };
  const { channels, sampleRateHz, language, role } = plan;
  const dash: MpdAudio = {
    id: plan.id,
    codec: track.codec,
    language,
    label: name,
    role,
    channels,
    sampleRateHz,
    ...timing(track),
    measured,
  };
  return { rendition, files: [{ path: uri, text }], record, dash };
}

/**
 * By stream of a file, so that stereo and 5.1 of one track are called the same (8216bis 4.4.6.1.1): the track's own
 * name, or its language in that language; numbered where two would be called the same.
 */
function audioNames(tracks: readonly AudioTrack[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const track of tracks) {
    if (names.has(soundOf(track))) continue;
    const plain = nameOf(track);
    let name = plain;
    for (let number = names.size + 1; taken.has(name); number++) name = `${plain} ${number}`;
    names.set(soundOf(track), name);
    taken.add(name);
  }
  return names;
}

function soundOf({ file, streamIndex }: AudioTrack): string {
  return `${file?.key ?? "master"} ${streamIndex}`;
}

const ROLE_WORDS = { main: "", commentary: " (commentary)", description: " (audio description)" };

function nameOf({ label, language, role }: Pick<AudioTrack, "label" | "language" | "role">): string {
  return label || languageName(language) + ROLE_WORDS[role];
}

function timing(track: ProducedTrack): { timescale: number; durationTicks: number[] } {
  return { timescale: track.timescale, durationTicks: track.cells.map((cell) => cell.durationTicks) };
}

function entries(track: ProducedTrack): PlaylistSegment[] {
  return track.cells.map((cell) => ({ uri: segmentName(cell.segment), durationTicks: cell.durationTicks }));
}

/** Each keyframe with the time until the next one: what a player shows while seeking (Apple 6.8, 6.10). */
function iFrames(track: ProducedTrack): PlaylistSegment[] {
  const frames = track.cells.flatMap((cell) => cell.keyframes.map((keyframe) => ({ cell, keyframe })));
  const end = track.cells.reduce((sum: number, cell: CellRecord) => sum + cell.durationTicks, 0);
  return frames.map(({ cell, keyframe }, index) => ({
    uri: segmentName(cell.segment),
    durationTicks: (frames[index + 1]?.keyframe.startTicks ?? end) - keyframe.startTicks,
    byteRange: { length: keyframe.length, offset: keyframe.offset },
  }));
}

function measure(track: ProducedTrack, target: number): MeasuredBitrate {
  return measureBitrate(
    track.cells.map((cell) => ({ bytes: cell.bytes, durationSeconds: cell.durationTicks / track.timescale })),
    target,
  );
}

function totalBytes(track: ProducedTrack): number {
  return track.initBytes + track.cells.reduce((sum, cell) => sum + cell.bytes, 0);
}
