import { INIT_NAME, MAIN_PLAYLIST, MEDIA_PLAYLIST_NAME, segmentName, trackFolder } from "./keys.ts";
import { mediaPlaylist, type PlaylistSegment, targetDurationSeconds } from "./playlist.ts";
import type { Preview } from "./preview.ts";
import { audioSegmentFrames, segmentCount, segmentFrames } from "./timeline.ts";

const SOUND_GROUP = "audio";

/**
 * The playlists of a preview, the multivariant one last: complete, though hardly any cell is there. `codecs` are those of
 * the init segments, which the first unit has made.
 */
export function previewPlaylists(
  preview: Preview,
  codecs: { video: string; audio: string | null },
  samplesPerFrame: number,
): { path: string; text: string }[] {
  const { timeline } = preview.plan;
  const pictures = Array.from({ length: segmentCount(timeline) }, (_, cell) => ({
    uri: segmentName(cell),
    durationTicks: segmentFrames(timeline, cell).frameCount * timeline.ticksPerFrame,
  }));
  const target = targetDurationSeconds(pictures, timeline.timescale);
  const media = (folder: string, timescale: number, segments: readonly PlaylistSegment[]) => ({
    path: folder + MEDIA_PLAYLIST_NAME,
    text: mediaPlaylist({
      initUri: INIT_NAME,
      timescale,
      segments,
      targetDurationSeconds: target,
      protection: preview.plan.protection,
    }),
  });
  const playlists = [media(trackFolder("video", preview.rung.id), timeline.timescale, pictures)];
  const { sound } = preview;
  if (sound !== null && codecs.audio !== null) {
    const cells = audioSegmentFrames(timeline, sound.sampleRateHz, samplesPerFrame).map(
      ({ frameCount }, cell) => ({ uri: segmentName(cell), durationTicks: frameCount * samplesPerFrame }),
    );
    const heard = cells.filter(({ durationTicks }) => durationTicks > 0);
    playlists.push(media(trackFolder("audio", sound.id), sound.sampleRateHz, heard));
  }
  return [...playlists, { path: MAIN_PLAYLIST, text: multivariant(preview, codecs) }];
}

function multivariant(preview: Preview, codecs: { video: string; audio: string | null }): string {
  const { rung, sound, plan } = preview;
  const { num, den } = plan.timeline.frameRate;
  const hasSound = sound !== null && codecs.audio !== null;
  // 8216bis 4.4.6.2: an upper bound. The cap is one of each second (VBV), and nothing is measured yet.
  const bandwidthBps = rung.maxBitrateBps + (hasSound ? sound.bitrateBps : 0);
  const stream = [
    `BANDWIDTH=${Math.ceil(bandwidthBps * 1.1)}`,
    `CODECS="${[codecs.video, ...(hasSound ? [codecs.audio] : [])].join(",")}"`,
    `RESOLUTION=${rung.width}x${rung.height}`,
    `FRAME-RATE=${(num / den).toFixed(3)}`,
    ...(hasSound ? [`AUDIO="${SOUND_GROUP}"`] : []),
  ].join(",");
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    ...(hasSound
      ? [
          `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${SOUND_GROUP}",NAME="${sound.language}",LANGUAGE="${sound.language}",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="${sound.channels}",URI="${trackFolder("audio", sound.id)}${MEDIA_PLAYLIST_NAME}"`,
        ]
      : []),
    `#EXT-X-STREAM-INF:${stream}`,
    trackFolder("video", rung.id) + MEDIA_PLAYLIST_NAME,
    "",
  ].join("\n");
}
