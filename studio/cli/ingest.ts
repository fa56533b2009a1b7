import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openApi } from "../api-client.ts";
import { ingestFile } from "./ingest-file.ts";
import { explainFailure } from "./next-step.ts";
import { openProgressLine } from "./progress-bar.ts";
import { type IngestOptions, readCommand } from "./read-command.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** The shells' way of saying "ended by SIGINT": 128 + 2. */
const EXIT_INTERRUPTED = 130;

/** Where to and as whom: what was given, else what the local start wrote when it became ready. */
async function readTarget({
  api,
  token,
  data,
}: IngestOptions): Promise<{ api: string; token: string } | null> {
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

async function ingestAll(files: string[], options: IngestOptions, target: { api: string; token: string }) {
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
        encoding: options.encoding,
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
  const command = readCommand(process.argv.slice(2), process.env);
  if ("isFault" in command) return command.isFault ? EXIT_USAGE : 0;
  const { files, options } = command;
  const target = await readTarget(options);
  if (target === null) {
    const from = join(options.data, "ready.json");
    process.stderr.write(
      `error: no API to talk to: give --api and --token, or run \`npm start\` (looked for ${from})\n`,
    );
    return EXIT_USAGE;
  }
  return ingestAll(files, options, target);
}

process.exitCode = await main();
