import { made } from "./media.ts";

/** Sources with sound of every shape over the same small picture; each beep stands at a whole second. */

const PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25"];
const CODING = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p"];
export const SOUND_SECONDS = 8;

/**
 * A tenth of a second of tone at each whole second, `level` of full scale, on each channel; with `click`, once for three
 * milliseconds that loud.
 */
export function beeps(options: {
  level: number;
  rate?: number;
  layout?: string;
  seconds?: number;
  click?: number;
}): string {
  const { level, rate = 48_000, layout = "stereo", seconds = SOUND_SECONDS, click = level } = options;
  const count = { mono: 1, stereo: 2, "5.1": 6 }[layout] ?? 2;
  const loud = `if(between(t,3.05,3.053),${click},${level})`;
  const wave = `${loud}*sin(2*PI*1000*t)*lt(mod(t,1),0.1)`;
  return `aevalsrc=exprs='${Array(count).fill(wave).join("|")}':c=${layout}:s=${rate}:d=${seconds}`;
}

export interface SoundTrack {
  /** A lavfi source. */
  sound: string;
  language?: string;
  title?: string;
  disposition?: string;
  /** Its first sample stands here. */
  atSeconds?: number;
  codec?: string;
}

/** A Matroska master of `SOUND_SECONDS` with these tracks. */
export function withSounds(tracks: readonly SoundTrack[]): Promise<string> {
  return made("mkv", [
    ...PICTURE,
    ...tracks.flatMap(({ sound, atSeconds = 0 }) => [
      ...["-itsoffset", String(atSeconds), "-f", "lavfi", "-i", sound],
    ]),
    ...["-map", "0:v", ...tracks.flatMap((_, index) => ["-map", `${index + 1}:a`]), ...CODING],
    ...["-frames:v", String(SOUND_SECONDS * 25)],
    ...tracks.flatMap(({ codec = "flac", language, title, disposition }, index) => [
      ...[`-c:a:${index}`, codec],
      ...(language === undefined ? [] : [`-metadata:s:a:${index}`, `language=${language}`]),
      ...(title === undefined ? [] : [`-metadata:s:a:${index}`, `title=${title}`]),
      ...[`-disposition:a:${index}`, disposition ?? "0"],
    ]),
    "{out}",
  ]);
}
