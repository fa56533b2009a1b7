const NAMES = ["MATINEE_FFMPEG_PATH", "MATINEE_FFPROBE_PATH"];

/** The parts that a bench itself uses, for the environment of the product that it measures. */
export function mediaTools(): Record<string, string> {
  const named = NAMES.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return Object.fromEntries(named);
}
