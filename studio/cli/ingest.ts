import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { openApi } from "../api-client.ts";
import type { SubtitleFile } from "./file-ingest.ts";
import { ingestFile } from "./ingest-file.ts";
import { explainFailure } from "./next-step.ts";
import { isUrl } from "./order-pull.ts";
import { openProgressLine } from "./progress-bar.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** The shells' way of saying "ended by SIGINT": 128 + 2. */
const EXIT_INTERRUPTED = 130;

/** Ladders that there are beside H.264, which is always made. */
const CODECS = ["hevc", "av1"];

interface Options {
  api?: string;
  token?: string;
  title?: string;
  publish: boolean;
  data: string;
  resume?: string;
  codecs: string[];
  clearkey: boolean;
  subtitles: SubtitleFile[];
}

function readCommand(argv: string[], env: NodeJS.ProcessEnv): { files: string[]; options: Options } {
  const command = new Command("npm run ingest --")
    .description("Send films to Matinee and follow each until it is ready.")
    .argument("<file...>", "the masters to send, or URLs of some that the server is to fetch")
    .option("--api <url>", "the API (or MATINEE_API_URL; else what `npm start` left)", env.MATINEE_API_URL)
    .option("--token <token>", "an editor's token (or MATINEE_TOKEN)", env.MATINEE_TOKEN)
    .option("--title <name>", "make a movie of that name")
    .option("--publish", "make a movie (named like the file without --title) and publish it", false)
    .option("--data <dir>", "data folder of the local start", env.MATINEE_DATA_DIR ?? "data")
    .option("--codecs <list>", `ladders beside H.264, by commas: ${CODECS.join(", ")}`, readCodecs, [])
    .option("--clearkey", "encrypt pictures and sound under a key of the film's own", false)
    .option(
      "--subtitles <language=file>",
      "add a subtitle file (.srt, .vtt, .ass); may be repeated",
      readSubtitles,
      [],
    )
    .option("--resume <uploadId>", "go on with an upload that was interrupted")
    .exitOverride()
    .parse(argv, { from: "user" });
  const options = command.opts<Options>();
  const isOfOne = options.resume !== undefined || options.title !== undefined || options.subtitles.length > 0;
  if (command.args.length > 1 && isOfOne) {
    command.error("error: --resume, --title and --subtitles go with one file");
  }
  if (options.resume !== undefined && command.args.some(isUrl)) {
    command.error("error: --resume goes with a file; what the server fetches it goes on with by itself");
  }
  return { files: command.args, options };
}

function readCodecs(value: string): string[] {
  const codecs = value.split(",").map((codec) => codec.trim());
  if (codecs.some((codec) => codec !== "h264" && !CODECS.includes(codec)))
    throw new InvalidArgumentError(`One or more of ${CODECS.join(", ")}, by commas.`);
  return codecs;
}

/** `de=FILE.srt` beside those before it. */
function readSubtitles(value: string, before: SubtitleFile[]): SubtitleFile[] {
  const [, language, path] = /^([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)=(.+)$/.exec(value) ?? [];
  if (language === undefined || path === undefined)
    throw new InvalidArgumentError("A language and a file, as in de=FILE.srt.");
  return [...before, { language, path }];
}

/** Where to and as whom: what was given, else what the local start wrote when it became ready. */
async function readTarget({ api, token, data }: Options): Promise<{ api: string; token: string } | null> {
  if (api !== undefined && token !== undefined) return { api, token };
  try {
    const ready = JSON.parse(await readFile(join(data, "ready.json"), "utf8")) as {
      api: string;
      tokens: { editor: string };
    };
    return { api: api ?? ready.api, token: token ?? ready.tokens.editor };
  } catch {
    return null;
  }
}

async function ingestAll(files: string[], options: Options, target: { api: string; token: string }) {
  const stop = new AbortController();
  let openUpload: string | null = null;
  process.once("SIGINT", () => stop.abort(new Error("interrupted")));
  let failures = 0;
  for (const path of files) {
    openUpload = null;
    const line = openProgressLine(process.stderr);
    try {
      await ingestFile({
        api: openApi(target.api, target.token),
        path,
        uploadId: options.resume ?? null,
        codecs: options.codecs,
        isProtected: options.clearkey,
        titleName: options.title ?? null,
        publish: options.publish,
        subtitles: options.subtitles,
        signal: stop.signal,
        line,
        onUpload: (uploadId) => {
          openUpload = uploadId;
        },
      });
    } catch (thrown) {
      const resume = `npm run ingest -- ${JSON.stringify(path)} --resume ${openUpload}`;
      if (stop.signal.aborted) {
        line.finish(
          openUpload === null
            ? "Stopped. What was sent goes on without us."
            : `Stopped. Go on with: ${resume}`,
        );
        return EXIT_INTERRUPTED;
      }
      failures++;
      const { code, message, nextStep } = explainFailure(thrown);
      line.finish(`Failed     ${path}\n  ${code}: ${message}\n  ${nextStep}`);
      if (openUpload !== null) process.stderr.write(`  Go on with: ${resume}\n`);
    }
  }
  return failures === 0 ? 0 : EXIT_FAILED;
}

async function main(): Promise<number> {
  try {
    const { files, options } = readCommand(process.argv.slice(2), process.env);
    const target = await readTarget(options);
    if (target === null) {
      const from = join(options.data, "ready.json");
      process.stderr.write(
        `error: no API to talk to: give --api and --token, or run \`npm start\` (looked for ${from})\n`,
      );
      return EXIT_USAGE;
    }
    return await ingestAll(files, options, target);
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : EXIT_USAGE;
    throw thrown;
  }
}

process.exitCode = await main();
