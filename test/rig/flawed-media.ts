import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { made } from "./media.ts";

/** Masters with one flaw each, or one to see and one to hear, and their clean twin: eight seconds of moving bars and a tone. */

export const FLAWED_SECONDS = 8;
const CODING = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p"];
const TONE = `sine=frequency=440:sample_rate=48000:duration=${FLAWED_SECONDS}`;

interface Flaw {
  /** Of the lavfi picture and of what is done to it. */
  picture?: string;
  filters?: string;
  /** A lavfi source; null for none. */
  sound?: string | null;
  coding?: readonly string[];
  output?: readonly string[];
  extension?: string;
}

function flawed(flaw: Flaw = {}): Promise<string> {
  const { picture = "testsrc2=size=160x96:rate=25", filters = "null", sound = TONE } = flaw;
  return made(flaw.extension ?? "mp4", [
    ...["-f", "lavfi", "-i", `${picture}:duration=${FLAWED_SECONDS}`],
    ...(sound === null ? [] : ["-f", "lavfi", "-i", sound]),
    ...["-vf", filters, ...(flaw.coding ?? CODING), ...(sound === null ? [] : ["-c:a", "aac", "-ac", "2"])],
    ...(flaw.output ?? []),
    "{out}",
  ]);
}

const run = promisify(execFile);

/** The file with every `step`th byte of each packet of one stream turned over, from `from` to `to` seconds. */
async function damaged(stream: "v" | "a", from: number, to: number, step: number): Promise<Buffer> {
  const path = await flawed();
  const bytes = await readFile(path);
  const { stdout } = await run("ffprobe", [
    ...["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time,size,pos"],
    ...["-of", "csv=p=0", path],
  ]);
  for (const line of stdout.trim().split("\n")) {
    const [seconds = 0, size = 0, position = 0] = line.split(",").map(Number);
    if (seconds < from || seconds >= to) continue;
    // Past the length that an AVC packet begins with: another step leaves the packet whole.
    for (let at = step === 1 ? 0 : 60; at < size; at += step) bytes[position + at]! ^= 0xff;
  }
  return bytes;
}

const read = async (path: Promise<string>): Promise<Buffer> => readFile(await path);
const painted = (colour: string, when: string): string => `drawbox=c=${colour}:t=fill:enable='${when}'`;
const strobe = "between(t,3,6)*lt(mod(t,0.2),0.1)";

/** The bytes of each master, by the name of its flaw. */
export const FLAWED: Record<string, () => Promise<Buffer>> = {
  clean: () => read(flawed()),
  "black, silent": () =>
    read(
      flawed({
        filters: painted("black", "between(t,3,4.99)"),
        sound: `${TONE},volume=volume=0:enable='between(t,1,7)'`,
      }),
    ),
  "black throughout": () => read(flawed({ picture: "color=black:size=160x96:rate=25" })),
  "frozen, loud": () =>
    read(
      flawed({
        filters: `loop=loop=150:size=1:start=50,trim=duration=${FLAWED_SECONDS}`,
        sound: `${TONE},volume=24dB`,
      }),
    ),
  flashing: () => read(flawed({ filters: painted("white", strobe) })),
  "flashing in a third": () =>
    read(flawed({ filters: painted("white", strobe).replace("t=fill", "w=iw/3:t=fill") })),
  "one flash a second, silent throughout": () =>
    read(
      flawed({
        filters: painted("white", "lt(mod(t,1),0.1)"),
        sound: `anullsrc=r=48000:cl=stereo:d=${FLAWED_SECONDS}`,
      }),
    ),
  "letterbox, quiet": () =>
    read(flawed({ filters: "scale=160:72,pad=160:96:0:12,setsar=1", sound: `${TONE},volume=-30dB` })),
  "combing, no sound": () =>
    read(
      flawed({
        picture: "testsrc2=size=320x192:rate=50",
        filters: "interlace=lowpass=off,setfield=prog",
        sound: null,
      }),
    ),
  "interlaced, sound short": () =>
    read(
      flawed({
        picture: "testsrc2=size=160x96:rate=50",
        filters: "interlace=lowpass=off",
        coding: [...CODING, "-flags", "+ildct+ilme", "-x264-params", "tff=1"],
        sound: "sine=duration=5",
      }),
    ),
  "sound late": async () => {
    const film = await flawed({ sound: null });
    const sound = ["-itsoffset", "2", "-f", "lavfi", "-i", "sine=duration=6"];
    return read(made("mkv", ["-i", film, ...sound, "-c:v", "copy", "-c:a", "flac", "{out}"]));
  },
  "anamorphic, sound long": () => read(flawed({ filters: "setsar=64/45", sound: "sine=duration=11" })),
  "a hole": () =>
    read(
      flawed({
        extension: "mkv",
        filters: "select='not(between(t,2,5.5))'",
        output: ["-fps_mode", "passthrough"],
      }),
    ),
  "a second picture": async () => {
    const film = await flawed();
    return read(made("mkv", ["-i", film, "-map", "0", "-map", "0:v", "-c", "copy", "{out}"]));
  },
  "picture damaged": () => damaged("v", 3, 4, 400),
  "picture lost": () => damaged("v", 3, 4, 1),
  "one packet damaged": () => damaged("v", 3.9, 3.94, 400),
  "sound damaged": () => damaged("a", 3, 4, 1),
};
