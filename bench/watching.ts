import { readClientData } from "../core/cmcd.ts";
import { type Beacon, EMPTY_REPORT, foldBeacons } from "../core/session-report.ts";
import { openClientCounts } from "../delivery/client-counts.ts";
import { openMetrics } from "../delivery/metrics.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * `npm run bench -- watching [rounds]`: CPU of what is told of watching, at an edge for each request (CMCD read and counted),
 * and in the API for each batch of beacons (folded into the report of two hours), beside parsing a request's address and a
 * batch's JSON, which come before either anyway. Needs no parts.
 */
const rounds = Number(process.argv[2] ?? 9);
const TIMES = 20_000;

const PATH = "/as_0123456789abcdef/0123456789abcdef0123/video/1080p/00042.m4s";
const SAID =
  '?CMCD=bl%3D12300%2Cbr%3D4500%2Cmtp%3D23900%2Cot%3Dv%2Csid%3D"6e2fb550-c457-11e9-bb97-0800200c9a66"';
const counts = openClientCounts(openMetrics());
const note = (target: string): void => {
  const said = readClientData(target, {});
  if (said !== null) counts.note(PATH, "DE", said);
};

const heartbeat = (seq: number): Beacon => ({
  seq,
  renditionId: "1080p",
  type: "heartbeat",
  playedMs: 10_000,
});
const report = foldBeacons(
  EMPTY_REPORT,
  Array.from({ length: 720 }, (_, seq) => heartbeat(seq)),
);
const batch: Beacon[] = [heartbeat(720), { seq: 721, renditionId: "1080p", type: "stall", stallMs: 400 }];
const body = JSON.stringify({ events: batch });

const ROWS: [name: string, once: () => unknown, beside: () => unknown][] = [
  ["a request that says how it fares", () => note(PATH + SAID), () => new URL(PATH + SAID, "http://edge")],
  ["a request that says nothing", () => note(PATH), () => new URL(PATH, "http://edge")],
  ["a batch of two beacons", () => foldBeacons(report, batch), () => JSON.parse(body)],
];

/** CPU of one time, in µs. */
function cost(once: () => unknown): number {
  const before = process.cpuUsage();
  for (let time = 0; time < TIMES; time++) once();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TIMES;
}

const rows = ROWS.map(([name, once, beside]) => {
  cost(once);
  const pairs = Array.from({ length: rounds }, () => [cost(once), cost(beside)] as const);
  const [ours, theirs] = [median(pairs.map(([one]) => one)), median(pairs.map(([, other]) => other))];
  return [name, figure(ours), figure(theirs), figure(ours / theirs)];
});
printTable(["CPU", "µs", "parsing, µs", "ratio"], rows);
