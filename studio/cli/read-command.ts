import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type Codec, ENCODING_WORDS, type EncodingWish, unprotectable } from "../encoding-wish.ts";
import type { SubtitleFile } from "./file-ingest.ts";
import { isUrl } from "./order-pull.ts";

/** What the command was asked for. Figures of its help are those of docs/performance.md. */

export interface IngestOptions {
  api?: string;
  token?: string;
  title?: string;
  publish: boolean;
  data: string;
  resume?: string;
  encoding: EncodingWish;
  subtitles: SubtitleFile[];
}

/** Options as they are given; those of the encoding are gathered from them. */
type Given = Omit<IngestOptions, "encoding"> & Omit<EncodingWish, "protection"> & { clearkey?: true };

const WORDS = ENCODING_WORDS;
/** Ladders that there are beside H.264, which is always made. */
const CODECS = WORDS.codecs.filter((codec) => codec !== "h264");

/** The files and what is wished of them. Where only help was asked for, or something wrong, that has been said: whether it was a fault. */
export function readCommand(
  argv: string[],
  env: NodeJS.ProcessEnv,
): { files: string[]; options: IngestOptions } | { isFault: boolean } {
  const command = commandLine(env);
  try {
    command.parse(argv, { from: "user" });
    const { clearkey, codecs, speed, ladder, lane, hardware, remux, ...options } = command.opts<Given>();
    const asked = {
      codecs,
      speed,
      ladder,
      lane,
      hardware,
      remux,
      ...(clearkey && { protection: "clearkey" }),
    };
    const said = Object.entries(asked).filter(([, value]) => value !== undefined);
    const encoding: EncodingWish = Object.fromEntries(said);
    const fault = faultOf(command.args, { ...options, encoding });
    if (fault !== null) command.error(`error: ${fault}`);
    return { files: command.args, options: { ...options, encoding } };
  } catch (thrown) {
    if (thrown instanceof CommanderError) return { isFault: thrown.exitCode !== 0 };
    throw thrown;
  }
}

function commandLine(env: NodeJS.ProcessEnv): Command {
  const command = new Command("npm run ingest --")
    .description("Send films to Matinee and follow each until it is ready.")
    .argument("<file...>", "the masters to send, or URLs of some that the server is to fetch")
    .option("--api <url>", "the API (or MATINEE_API_URL; else what `npm start` left)", env.MATINEE_API_URL)
    .option("--token <token>", "an editor's token (or MATINEE_TOKEN)", env.MATINEE_TOKEN)
    .option("--title <name>", "make a movie of that name")
    .option("--publish", "make a movie (named like the file without --title) and publish it", false)
    .option("--data <dir>", "data folder of the local start", env.MATINEE_DATA_DIR ?? "data")
    .option(
      "--subtitles <language=file>",
      "add a subtitle file (.srt, .vtt, .ass); may be repeated",
      readSubtitles,
      [],
    )
    .option("--resume <uploadId>", "go on with an upload that was interrupted")
    .exitOverride();
  for (const option of encodingOptions()) command.addOption(option.helpGroup("Encoding:"));
  return command.addHelpText(
    "after",
    "\nCPU seconds are for a second of 1080p24; docs/performance.md has what they were measured on, and the bits.",
  );
}

/** In the API's words, each with its price. */
function encodingOptions(): Option[] {
  const codecs = `ladders beside H.264, by commas: ${CODECS.join(", ")} (CPU s: H.264 1.7, HEVC 4.4, AV1 2.0)`;
  return [
    new Option(
      "--speed <speed>",
      "what CPU is worth beside bytes (H.264: 1.7, 2.6, 5.5 CPU s); as usual fast",
    ).choices(WORDS.speed),
    new Option(
      "--ladder <ladder>",
      "title: rungs by trial encodes, 6.7 % of an encode more, then maybe more rungs; as usual table",
    ).choices(WORDS.ladder),
    new Option("--codecs <list>", codecs).argParser(readCodecs),
    new Option(
      "--lane <lane>",
      "backfill: once nothing else is to be made, for the same CPU; as usual normal",
    ).choices(WORDS.lane),
    new Option(
      "--hardware <when>",
      "allow: H.264 by a worker's chip if it has one, not with --ladder title; as usual never",
    ).choices(WORDS.hardware),
    new Option(
      "--remux <when>",
      "never: encode a master that is its top rung too, twice the CPU for pictures; as usual auto",
    ).choices(WORDS.remux),
    new Option(
      "--clearkey",
      "encrypt pictures and sound under a key of the film's own; no DRM, and not of av1",
    ),
  ];
}

/** What of the wishes does not go together, with what to do instead. */
function faultOf(files: readonly string[], options: IngestOptions): string | null {
  const { resume, title, subtitles, encoding } = options;
  const isOfOne = resume !== undefined || title !== undefined || subtitles.length > 0;
  if (files.length > 1 && isOfOne) return "--resume, --title and --subtitles go with one file";
  if (resume !== undefined && files.some(isUrl))
    return "--resume goes with a file; what the server fetches it goes on with by itself";
  const names = Object.keys(encoding).map((name) => (name === "protection" ? "--clearkey" : `--${name}`));
  if (resume !== undefined && names.length > 0)
    return `an upload keeps the encoding that it was opened with: leave out ${names.join(", ")}, or --resume`;
  const open = unprotectable(encoding.codecs ?? []);
  if (encoding.protection === "clearkey" && open.length > 0)
    return `--clearkey is not to be had of ${open.join(", ")}: leave out one of them`;
  return null;
}

function readCodecs(value: string): Codec[] {
  const named = [...new Set(value.split(",").map((codec) => codec.trim()))];
  const known = WORDS.codecs.filter((codec) => named.includes(codec));
  if (known.length < named.length)
    throw new InvalidArgumentError(`One or more of ${CODECS.join(", ")}, by commas.`);
  return known;
}

/** `de=FILE.srt` beside those before it. */
function readSubtitles(value: string, before: SubtitleFile[]): SubtitleFile[] {
  const [, language, path] = /^([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)=(.+)$/.exec(value) ?? [];
  if (language === undefined || path === undefined)
    throw new InvalidArgumentError("A language and a file, as in de=FILE.srt.");
  return [...before, { language, path }];
}
