import Hls from "hls.js";

/** From the one that needs the fewest bytes for a picture; hls.js has already left out what this machine cannot decode. */
const PREFERRED = ["av01", "hvc1", "avc1"];

/**
 * Leaves one ladder: the leanest codec that this machine plays, in high dynamic range only where the screen has it.
 * hls.js keeps to one codec while it plays, and each picture would stand in the menu once for each.
 */
export function fitPicture(hls: Hls, isHdrScreen: boolean): void {
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    // Those that are left: others may have been taken out at the same event, for their sound.
    const { levels } = hls;
    const ladderOf = ({ videoCodec, videoRange }: (typeof levels)[number]): string =>
      `${videoRange !== "SDR"} ${videoCodec?.split(".")[0]}`;
    const there = new Set(levels.map(ladderOf));
    const wanted = [isHdrScreen, false]
      .flatMap((isHdr) => PREFERRED.map((codec) => `${isHdr} ${codec}`))
      .find((ladder) => there.has(ladder));
    if (wanted === undefined) return;
    const isUnfit = levels.map((level) => ladderOf(level) !== wanted);
    // From the end: removing one moves those after it.
    for (let index = levels.length - 1; index >= 0; index--) if (isUnfit[index]) hls.removeLevel(index);
  });
}

/** Whether the screen shows more than standard dynamic range. */
export function isHdrScreen(): boolean {
  return matchMedia("(dynamic-range: high)").matches;
}
