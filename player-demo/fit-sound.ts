import Hls from "hls.js";

const STEREO_CHANNELS = 2;

/**
 * Leaves out the variants whose sound has more channels than this machine can play: hls.js would go back and forth
 * between them, and each picture would stand in the menu twice.
 */
export function fitSound(hls: Hls, channelsHere: number): void {
  hls.on(Hls.Events.MANIFEST_PARSED, (_event, { audioTracks, levels }) => {
    const channelsOf = (groupId: string | undefined): number =>
      Math.max(
        STEREO_CHANNELS,
        ...audioTracks
          .filter((track) => track.groupId === groupId)
          .map(({ channels }) => Number.parseInt(channels ?? "", 10) || STEREO_CHANNELS),
      );
    const most = Math.max(
      STEREO_CHANNELS,
      ...levels.map((level) => channelsOf(level.audioGroupId)).filter((channels) => channels <= channelsHere),
    );
    const isUnfit = levels.map(
      (level) => level.audioGroupId !== undefined && channelsOf(level.audioGroupId) !== most,
    );
    // From the end: removing one moves those after it.
    for (let index = levels.length - 1; index >= 0; index--) if (isUnfit[index]) hls.removeLevel(index);
  });
}

/** Channels of the machine's own output. */
export function outputChannels(): number {
  const context = new AudioContext();
  const { maxChannelCount } = context.destination;
  void context.close();
  return maxChannelCount;
}
