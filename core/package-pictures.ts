import { measureBitrate } from "./bitrate.ts";
import { IFRAME_PLAYLIST_NAME, INIT_NAME, MEDIA_PLAYLIST_NAME, trackFolder } from "./keys.ts";
import type { Ladder, Rung } from "./ladder.ts";
import type { MpdVideo } from "./mpd.ts";
import type { PackageFile, Shared } from "./package-file.ts";
import type { Colour } from "./picture.ts";
import { mediaPlaylist, targetDurationSeconds } from "./playlist.ts";
import { entries, iFrames, measure, type ProducedTrack, timing, totalBytes } from "./produced-track.ts";
import { type Quality, qualityOfCells } from "./quality.ts";
import type { Rendition } from "./records/asset.ts";
import type { IFrameVariant, VideoVariant } from "./renditions.ts";
import type { TrickPlay } from "./trick-play.ts";

/** What a package says of its pictures: variants, playlists, renditions and DASH's view of them. */

export function describeRung(
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
export function describeTrick(plan: TrickPlay, track: ProducedTrack, shared: Shared) {
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
