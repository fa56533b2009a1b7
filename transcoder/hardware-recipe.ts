import type { HardwareFamily } from "../core/encoding.ts";
import type { Rung } from "../core/ladder.ts";

/** How encoders in hardware are told the same as the others: quality under a cap, closed groups on the grid. */

const RENDER_NODE = "/dev/dri/renderD128";

/** The device files that each needs in the sandbox. */
export const DEVICES_OF: Record<HardwareFamily, readonly string[]> = {
  nvenc: ["/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"],
  qsv: [RENDER_NODE],
  vaapi: [RENDER_NODE],
};

/** Which device ffmpeg opens before all else; the other two find theirs. */
export function hardwareGlobalOptions(family: HardwareFamily | null): string[] {
  return family === "vaapi" ? ["-vaapi_device", RENDER_NODE] : [];
}

/** Takes the pictures of a graph's link `from` to the encoder, by another link; the other two take them from memory. */
export function uploadFilter(
  family: HardwareFamily | null,
  index: number,
): { filter: string[]; link: string } {
  return family === "vaapi"
    ? { filter: [`[v${index}]format=nv12,hwupload[h${index}]`], link: `[h${index}]` }
    : { filter: [], link: `[v${index}]` };
}

/** Options of one rung's encoder. */
export function hardwareH264(
  family: HardwareFamily,
  gop: number,
  { crf, maxBitrateBps }: Pick<Rung, "crf" | "maxBitrateBps">,
): string[] {
  const [quality, cap] = [String(crf), String(maxBitrateBps)];
  const shared = [
    ...["-c:v", `h264_${family}`, "-profile:v", "high"],
    // A keyframe every so often; that it stands there and nowhere else, the chunk's check sees.
    ...["-g", String(gop), "-maxrate", cap, "-bufsize", cap],
  ];
  switch (family) {
    case "nvenc":
      return [
        // Constant quality under the cap, no target beside it.
        ...[...shared, "-rc", "vbr", "-cq", quality, "-b:v", "0"],
        // No keyframe at a cut; those on the grid are IDR.
        ...["-no-scenecut", "1", "-forced-idr", "1"],
      ];
    case "qsv":
      return [
        // Quality under a cap (QVBR), which it takes all three to ask for.
        ...[...shared, "-global_quality", quality, "-b:v", cap],
        // Every keyframe an IDR, and no others.
        ...["-idr_interval", "0", "-adaptive_i", "0"],
      ];
    case "vaapi":
      return [
        ...[...shared, "-rc_mode", "QVBR", "-global_quality", quality, "-b:v", cap],
        // Every keyframe an IDR.
        ...["-idr_interval", "0"],
      ];
  }
}
