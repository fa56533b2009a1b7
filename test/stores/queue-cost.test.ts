import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { Redis } from "ioredis";
import type { AttemptRecord } from "../../core/records/task.ts";
import { completeTask } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { offerAfter } from "../../stores/offer-work.ts";
import { consume } from "../../stores/queue-consumer.ts";
import { openWork } from "./work-for-test.ts";

/**
 * What a chunk costs Redis, scripts' own commands counted: from its offer until its job is gone. The server is shared with
 * other tests, so that its own statistics would count theirs; a monitor tells ours by their keys.
 */

const { library, queue, settings, planned } = await openWork();
let redis: Redis;
let monitor: Socket;
const lines = new EventEmitter<{ line: [string] }>();
let commands = 0;
const seen = new Map<string, number>();

before(async () => {
  redis = new Redis(settings.url);
  const server = new URL(settings.url);
  monitor = connect(Number(server.port), server.hostname);
  // By hand: ioredis takes what others send in the same packet as the answer to MONITOR for a reply of its own, and hangs.
  createInterface(monitor).on("line", (line) => lines.emit("line", line));
  if (server.password)
    assert.equal(await said(`AUTH ${server.username || "default"} ${server.password}`), "+OK");
  assert.equal(await said("MONITOR"), "+OK");
  lines.on("line", (line) => {
    if (!line.includes(settings.prefix)) return;
    commands++;
    const command = /\] "(\w+)"/.exec(line)?.[1] ?? line;
    seen.set(command, (seen.get(command) ?? 0) + 1);
  });
});
/** The first line of Redis' answer. */
async function said(command: string): Promise<string> {
  const answer = once(lines, "line");
  monitor.write(`${command}\r\n`);
  return (await answer)[0];
}
after(() => {
  monitor.destroy();
  redis.disconnect();
});

const attempt: AttemptRecord = {
  ...{ stage: "video", worker: "w", outcome: "done", argv: [], cpuSeconds: 1, bytesOut: 0, error: null },
  ...{ startedAt: new Date(0), endedAt: new Date(0) },
};

/** Commands to Redis for a whole title, worked through by one slot, and how many chunks it has. */
async function costOf(id: string, seconds: number): Promise<{ commands: number; chunks: number }> {
  const begun = commands;
  const { plan } = await planned(id, { seconds });
  const published = Promise.withResolvers<void>();
  const consumer = consume(settings, 1, async ({ taskId }) => {
    const claim = await claimTask(library, taskId, "w", 600);
    if (!("claimed" in claim)) return "done";
    await completeTask(library, claim.claimed, null, attempt);
    await offerAfter(library, queue, claim.claimed);
    if (claim.claimed.kind === "publish") published.resolve();
    return "done";
  });
  await published.promise;
  await consumer.close();
  await library.assets.updateOne({ _id: id }, { $set: { state: "ready" } });
  await heard();
  return { commands: commands - begun, chunks: plan!.chunks.length };
}

/** Resolves once the monitor has told all that was sent so far. */
async function heard(): Promise<void> {
  const sign = randomBytes(8).toString("hex");
  const told = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      if (line.includes(sign)) resolve();
    });
  });
  await redis.echo(sign);
  await told;
}

test("what a chunk costs Redis does not grow with the title", async () => {
  const short = await costOf("as_short", 120);
  const middle = await costOf("as_middle", 600);
  const long = await costOf("as_long", 1800);
  const perChunk = (from: typeof short, to: typeof short): number =>
    (to.commands - from.commands) / (to.chunks - from.chunks);
  const [first, then] = [perChunk(short, middle), perChunk(middle, long)];
  const said = `${first.toFixed(1)}, then ${then.toFixed(1)} commands: ${JSON.stringify([...seen])}`;
  // Jobs that stall and connections are looked after by time.
  assert.ok(then <= 1.1 * first, said);
  assert.ok(then <= 50, said);
});
