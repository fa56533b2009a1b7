import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

/** What a person may say to `npm start`. */
export interface StartOptions {
  /** One machine-readable line on stdout once ready; everything else on stderr. */
  json: boolean;
  /** No sample film. */
  empty: boolean;
  /** Absolute path of the one folder that holds everything. */
  dataDirectory: string;
  /** Transcoder processes. */
  workers: number;
  /** Edges, each at an address of its own. */
  edges: number;
  /** Only say what can be said. */
  help: boolean;
}

/** As many as show what several are for. */
const MOST_EDGES = 8;

export const USAGE = `npm start -- [options]
  --data DIR     the data folder (default: ./data)
  --workers N    transcoder processes (default: 1)
  --edges N      edges to play from, one of them may die (default: 1; more need Linux)
  --empty        without the sample film
  --json         one line of JSON on stdout once ready; everything else on stderr
  --help         this`;

/** Reads the command line; relative folders are seen from `cwd`. Throws an Error a person understands. */
export function readOptions(args: readonly string[], cwd: string): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      empty: { type: "boolean", default: false },
      data: { type: "string", default: "data" },
      workers: { type: "string", default: "1" },
      edges: { type: "string", default: "1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const workers = Number(values.workers);
  const most = availableParallelism() * 4;
  if (!Number.isInteger(workers) || workers < 1 || workers > most) {
    throw new Error(`--workers must be a whole number from 1 to ${most}`);
  }
  const edges = Number(values.edges);
  if (!Number.isInteger(edges) || edges < 1 || edges > MOST_EDGES)
    throw new Error(`--edges must be a whole number from 1 to ${MOST_EDGES}`);
  if (values.data === "") throw new Error("--data needs a folder");
  const { json, empty, help } = values;
  return { json, empty, help, dataDirectory: resolve(cwd, values.data), workers, edges };
}
