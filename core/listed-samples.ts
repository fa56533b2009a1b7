import { sourceFailure } from "./errors.ts";
import { type PacketTable, packetCollector } from "./packet-table.ts";
import type { SampleTrack } from "./sample-table.ts";

/**
 * The packet table of a file from its own sample tables: what ffprobe lists when it reads the file to its end. Throws
 * `source_damaged` where a sample lies behind the end of the file.
 */
export function listSamples(
  tracks: readonly SampleTrack[],
  picture: { index: number; has_b_frames?: number },
  sizeBytes: number,
): PacketTable {
  const collector = packetCollector(picture);
  for (const track of tracks) {
    // ISO/IEC 23001-7 4.1: the sample entry of an encrypted track.
    const isEncrypted = /^enc[va]$/.test(String.fromCharCode(...track.entry.subarray(4, 8)));
    const seconds = (ticks: number): number => inMicros(ticks / track.timescale);
    for (let at = 0; at < track.sizes.length; at++) {
      if (track.offsets[at]! + track.sizes[at]! > sizeBytes) {
        throw sourceFailure(
          "source_damaged",
          "The file cannot be read to its end: it is cut off or damaged.",
        );
      }
      collector.add({
        streamIndex: track.index,
        presentationSeconds: seconds(track.shownTicks[at]!),
        decodeSeconds: seconds(track.decodeTicks[at]!),
        durationSeconds: seconds(track.durations[at]!),
        isKeyframe: track.isKeyframe[at] === 1,
        isHidden: track.isShown[at] === 0,
        isEncrypted,
        // The table itself says where it lies.
        at: Number.NaN,
      });
    }
  }
  return collector.table();
}

/** ffprobe prints six decimals. */
function inMicros(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
