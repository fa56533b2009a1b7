import { type MeasuredBitrate, measureBitrate } from "./bitrate.ts";
import { MEDIA_PLAYLIST_NAME, textSegmentName, trackFolder, WHOLE_TEXT_NAME } from "./keys.ts";
import { languageName } from "./language-name.ts";
import type { MpdText } from "./mpd.ts";
import { mediaPlaylist } from "./playlist.ts";
import type { Rendition } from "./records/asset.ts";
import type { TextResult } from "./records/task-result.ts";
import type { SubtitleRendition } from "./renditions.ts";
import type { SubtitleRole } from "./source.ts";
import type { SubtitleTrack } from "./subtitle-plan.ts";
import { segmentCount, type Timeline, timelineSeconds } from "./timeline.ts";

/** The text tracks of a package, from what the tasks made. */

/** RFC 6381 has `wvtt` for WebVTT in MP4; WebVTT of its own is called the same. */
const WEBVTT = "wvtt";

/** What a package has of one text track. */
export interface PackagedText {
  rendition: SubtitleRendition;
  playlist: { path: string; text: string };
  record: Rendition;
  dash: MpdText;
}

/** Every text track of the plan with what was made of it. Throws where a segment is missing. */
export function packageTexts(
  tracks: readonly SubtitleTrack[],
  made: readonly TextResult[],
  timeline: Timeline,
  targetDurationSeconds: number,
): PackagedText[] {
  const names = subtitleNames(tracks);
  return tracks.map((track) => {
    const text = made.find(({ trackId }) => trackId === track.id);
    const segments = segmentCount(timeline);
    if (text?.cells.length !== segments) throw new RangeError(`${track.id} has not its ${segments} segments`);
    return packageText(track, names.get(track.id) ?? track.id, text, timeline, targetDurationSeconds);
  });
}

function packageText(
  { id, language, role }: SubtitleTrack,
  name: string,
  { cells, whole, cueCount }: TextResult,
  timeline: Timeline,
  targetDurationSeconds: number,
): PackagedText {
  const folder = trackFolder("text", id);
  const measured = measure(cells, timeline, targetDurationSeconds);
  const segments = cells.map(({ segment, durationTicks }) => ({
    uri: textSegmentName(segment),
    durationTicks,
  }));
  const path = folder + MEDIA_PLAYLIST_NAME;
  const wholeBps = Math.max(1, Math.ceil((whole.textBytes * 8) / timelineSeconds(timeline)));
  return {
    rendition: { uri: path, name, language, role, measured },
    playlist: {
      path,
      text: mediaPlaylist({
        initUri: null,
        timescale: timeline.timescale,
        segments,
        // Apple 5.7 would allow a longer one; with the video's, a player switches tracks as fast as qualities.
        targetDurationSeconds,
      }),
    },
    record: {
      id,
      kind: "subtitle",
      codec: WEBVTT,
      language,
      label: name,
      role,
      cueCount,
      ...measured,
      bytes: cells.reduce((sum, cell) => sum + cell.bytes, whole.bytes),
    },
    dash: { id, uri: folder + WHOLE_TEXT_NAME, language, label: name, role, bandwidthBps: wholeBps },
  };
}

/** The larger of packed and unpacked (few letters grow when they are packed): true however it is read. */
function measure(
  cells: TextResult["cells"],
  timeline: Timeline,
  targetDurationSeconds: number,
): MeasuredBitrate {
  return measureBitrate(
    cells.map(({ bytes, textBytes, durationTicks }) => ({
      bytes: Math.max(bytes, textBytes),
      durationSeconds: durationTicks / timeline.timescale,
    })),
    targetDurationSeconds,
  );
}

const ROLE_WORDS: Record<SubtitleRole, string> = {
  main: "",
  commentary: " (commentary)",
  sdh: " (SDH)",
  forced: " (forced)",
};

/**
 * By track: its own name, or its language in that language with what it is for; told apart by role, then by number,
 * where two would be called the same (8216bis 4.4.6.1.1).
 */
function subtitleNames(tracks: readonly SubtitleTrack[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const { id, label, language, role } of tracks) {
    const plain = label ?? languageName(language) + ROLE_WORDS[role];
    let name = taken.has(plain) && label !== null ? plain + ROLE_WORDS[role] : plain;
    const base = name;
    for (let number = 2; taken.has(name); number++) name = `${base} ${number}`;
    names.set(id, name);
    taken.add(name);
  }
  return names;
}
