import { made } from "./media.ts";

/** A minute of noise, two thirds of a megabyte a second, with sound: no part of it is like another. */
export function longFilm(coding: readonly string[] = []): Promise<string> {
  return made("mp4", [
    ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25/2:duration=60"],
    ...["-f", "lavfi", "-i", "anoisesrc=d=60:c=pink:r=48000", "-vf", "noise=alls=60:allf=t+u"],
    ...[
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-b:v",
      "5M",
      "-g",
      "25",
      "-bf",
      "2",
      "-x264-params",
      "b-adapt=0",
    ],
    ...["-c:a", "aac", "-b:a", "96k", ...coding, "{out}"],
  ]);
}
