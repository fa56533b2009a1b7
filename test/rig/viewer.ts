import { setTimeout as pause } from "node:timers/promises";
import type { AnswerTo } from "./api-answers.ts";
import type { Product } from "./product.ts";

/** Between one request and the next: as many as find a fault, and the machine is not theirs alone. */
const PACE_MS = 20;

/** One viewer that hardly rests: fetches a title's playlists and segments over and over, as a player does. */
export interface Viewer {
  seen(): { name: string; requests: number; sessions: number; failures: string[] };
  stop(): Promise<void>;
}

/**
 * Starts one. `stays`: a single session, whose grant is renewed before each round; `comes anew`: another session for
 * each round. Whatever is not 200, or has no body, is a failure.
 */
export function watch(product: Product, titleId: string, name: "stays" | "comes anew"): Viewer {
  const seen = { name, requests: 0, sessions: 0, failures: [] as string[] };
  let stopping = false;
  const get = async (url: string): Promise<string> => {
    seen.requests += 1;
    const answer = await fetch(url);
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200 || body.length === 0)
      seen.failures.push(`${answer.status} ${new URL(url).pathname}`);
    return body.toString("latin1");
  };
  const ask = async <Path extends string>(
    path: Path,
    wanted: number,
    body?: object,
  ): Promise<AnswerTo<"POST", Path>> => {
    seen.requests += 1;
    const answer = await product.call("POST", path, body, product.tokens.viewer);
    if (answer.status !== wanted) seen.failures.push(`${answer.status} ${path}`);
    return answer.body;
  };
  const open = () => {
    seen.sessions += 1;
    return ask("/v1/playback", 201, { titleId, capabilities: { renews: true } });
  };
  const round = async (manifestUrl: string): Promise<void> => {
    for (const playlist of urisOf(await get(manifestUrl), manifestUrl)) {
      for (const object of urisOf(await get(playlist), playlist)) {
        if (stopping) return;
        await pause(PACE_MS);
        await get(object);
      }
    }
  };
  const run = async (): Promise<void> => {
    const { sessionId, manifestUrl } = await open();
    await round(manifestUrl);
    while (!stopping) {
      const session = name === "stays" ? await ask(`/v1/playback/${sessionId}/renew`, 200) : await open();
      await round(session.manifestUrl);
    }
  };
  const running = run().catch((thrown) => seen.failures.push(String(thrown)));
  return {
    seen: () => seen,
    async stop() {
      stopping = true;
      await running;
    },
  };
}

/** What a playlist names, by lines and by attributes, each once. */
function urisOf(text: string, base: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const attributes = [...text.matchAll(/URI="([^"]+)"/g)].map(([, uri = ""]) => uri);
  return [...new Set([...lines, ...attributes])].map((uri) => new URL(uri, base).href);
}
