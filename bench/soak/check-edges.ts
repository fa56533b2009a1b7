import { createHash } from "node:crypto";
import { eventually } from "../../test/rig/processes.ts";
import type { Acknowledged } from "./acknowledged.ts";
import type { Client } from "./client.ts";

/** What was called back is so everywhere within a minute, and a little for whatever was away. */
const CALLED_BACK_SECONDS = 90;
/** So many of the last are looked at, all at once. */
const MOST_ENDED = 40;

/** What is published is to be seen at every edge, the same at each, and what has ended at none. */
export async function checkEdges(
  viewer: Client,
  known: Acknowledged,
  edges: ReadonlyMap<string, string>,
): Promise<string[]> {
  const faults: string[] = [];
  for (const { id, state, asset } of known.titles) {
    if (state !== "published" || asset.fate === "deleted") continue;
    // Of what was called off it may be that nothing was ever made.
    const wanted = asset.fate === "made" && asset.alsoFate === null ? [201] : [201, 404, 409];
    const opened = await viewer.insist("POST", "/v1/playback", { titleId: id }, wanted);
    if (opened.status !== 201) continue;
    const { manifestUrl, sessionId } = opened.body;
    const answers = await Promise.all([...edges.keys()].map((host) => answerAt(host, manifestUrl)));
    if (new Set(answers).size !== 1 || !answers[0]?.startsWith("200"))
      faults.push(`${id} of ${asset.id} is at the edges: ${answers.join(", ")}`);
    await viewer.insist("DELETE", `/v1/playback/${sessionId}`, undefined, [204]);
    known.ended.push(manifestUrl);
  }
  const ended = known.ended.slice(-MOST_ENDED);
  let left = [...edges.keys()].flatMap((host) => ended.map((url) => ({ host, url })));
  await eventually("refused", CALLED_BACK_SECONDS, async () => {
    const answers = await Promise.all(left.map(({ host, url }) => answerAt(host, url)));
    left = left.filter((_, index) => !answers[index]?.startsWith("403"));
    return left.length === 0 || null;
  }).catch(() => undefined);
  faults.push(...left.map(({ host, url }) => `${edges.get(host)} serves what has ended: ${url.slice(-80)}`));
  return faults;
}

/** Its status, and the hash of what came. */
async function answerAt(host: string, url: string): Promise<string> {
  const place = new URL(url);
  place.hostname = host;
  try {
    const answer = await fetch(place, { signal: AbortSignal.timeout(20_000) });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return `${answer.status} ${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
  } catch (thrown) {
    return String(thrown);
  }
}
