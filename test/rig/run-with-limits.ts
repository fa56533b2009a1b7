import { run } from "node:test";
import { endHung, type Hung } from "../end-hung.ts";

/** Runs the test files that it is given one after another, with seconds where `npm test` has minutes, and prints what came of it. */

const hung: Hung[] = [];
const passed: string[] = [];
const stream = run({ files: process.argv.slice(2), concurrency: 1 });
const stop = endHung(stream, { wholeMs: 15_000, afterLastTestMs: 4_000 }, (one) => hung.push(one));
stream.on("test:pass", ({ name }) => passed.push(name));
for await (const _ of stream);
stop();
process.stdout.write(JSON.stringify({ hung, passed }));
