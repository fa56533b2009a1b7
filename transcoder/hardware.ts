import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HardwareFamily } from "../core/encoding.ts";
import { readFragments } from "../core/fragments.ts";
import { splitInit } from "../core/init-segment.ts";
import { DEVICES_OF, hardwareGlobalOptions, hardwareH264, uploadFilter } from "./hardware-recipe.ts";
import type { Launcher } from "./launcher.ts";
import type { Scratch } from "./scratch.ts";

/** Encoders in hardware: never believed to be there, only seen to work (docs/decisions/hardware.md). */
export interface Hardware {
  /** The one that is used where a film allows it; null where none works. */
  family: HardwareFamily | null;
  /** In words, what became of each. */
  detail: string;
}

const GOP = 24;
const FRAMES = 48;
const SAMPLE = { crf: 23, maxBitrateBps: 1_500_000 };
/** Dedicated ones first. */
const FAMILIES: readonly HardwareFamily[] = ["nvenc", "qsv", "vaapi"];

/** Tries each in the sandbox, as a chunk would be made with it, until one works. */
export async function findHardware(
  launcher: Launcher,
  scratch: Pick<Scratch, "withDirectory">,
  devicesOf = DEVICES_OF,
): Promise<Hardware> {
  const said: string[] = [];
  for (const family of FAMILIES) {
    const devices = devicesOf[family];
    const absent = devices.find((device) => !existsSync(device));
    const encoder = {
      globalOptions: hardwareGlobalOptions(family),
      ...uploadFilter(family, 0),
      options: hardwareH264(family, GOP, SAMPLE),
    };
    const fault = absent ? `there is no ${absent}` : await tryEncoder(launcher, scratch, encoder, devices);
    if (fault === null) return { family, detail: [...said, `${family}: works`].join("; ") };
    said.push(`${family}: ${fault}`);
  }
  return { family: null, detail: said.join("; ") };
}

/** How one output is encoded. */
export interface Tried {
  globalOptions: readonly string[];
  filter: readonly string[];
  link: string;
  options: readonly string[];
}

/**
 * Makes two short encodes: null where both are the same bytes, with keyframes on the grid and nowhere else; otherwise what
 * is wrong, in the encoder's words where it has some.
 */
export async function tryEncoder(
  launcher: Launcher,
  scratch: Pick<Scratch, "withDirectory">,
  encoder: Tried,
  devices: readonly string[],
): Promise<string | null> {
  const once = (): Promise<Uint8Array | string> =>
    scratch.withDirectory((directory) => encode(launcher, directory, encoder, devices));
  const [first, second] = [await once(), await once()];
  if (typeof first === "string") return first;
  if (typeof second === "string") return second;
  if (!Buffer.from(first).equals(second)) return "two encodes of the same are not the same";
  const { rest } = splitInit(first);
  const lengths = readFragments(rest).map(({ samples }) => samples.length);
  if (lengths.join() !== `${GOP},${FRAMES - GOP}`) return `keyframes after ${lengths.join(", ")} frames`;
  return null;
}

async function encode(
  launcher: Launcher,
  outputDirectory: string,
  { globalOptions, filter, link, options }: Tried,
  devices: readonly string[],
): Promise<Uint8Array | string> {
  const picture = `testsrc2=size=640x360:rate=24,format=yuv420p[v0]`;
  const run = await launcher.run({
    program: "ffmpeg",
    args: [
      ...["-hide_banner", "-nostdin", "-v", "error", ...globalOptions],
      ...["-filter_complex", [picture, ...filter].join(";"), "-map", link, ...options],
      ...["-frames:v", String(FRAMES), "-f", "mp4"],
      ...["-movflags", "+frag_keyframe+empty_moov+default_base_moof+cmaf+skip_trailer", "/out/tried.mp4"],
    ],
    outputDirectory,
    devices,
    limits: { wallSeconds: 30, cpuSeconds: 20, outputBytes: 16 * 2 ** 20 },
  });
  if (run.ending !== "exited" || run.exitCode !== 0)
    return run.stderrTail.trim().split("\n")[0] || `ended with ${run.exitCode}`;
  return readFile(join(outputDirectory, "tried.mp4"));
}
