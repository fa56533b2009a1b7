import { z } from "@hono/zod-openapi";
import type { Beacon } from "../core/session-report.ts";
import { instant } from "./contract.ts";

/** What a player says of itself while it plays. */

const seq = z.number().int().min(0).max(1_000_000_000);
const renditionId = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/)
  .nullish();
const seconds = z.number().min(0).max(3_600);

const said = { seq, renditionId };
const from = ({ seq, renditionId }: z.infer<z.ZodObject<typeof said>>) => ({
  seq,
  renditionId: renditionId ?? null,
});
/** Sums of whole milliseconds are the same in any order. */
const inMs = (seconds: number): number => Math.round(seconds * 1000);

/** Events that count. One with `seq` is held to its form; without it, a word of the player's own that counts nothing. */
const COUNTED = {
  startup: z
    .object({ ...said, startupSeconds: seconds })
    .transform((one): Beacon => ({ ...from(one), type: "startup", startupMs: inMs(one.startupSeconds) })),
  stall: z
    .object({ ...said, durationSeconds: seconds })
    .transform((one): Beacon => ({ ...from(one), type: "stall", stallMs: inMs(one.durationSeconds) })),
  error: z
    .object({ ...said, code: z.string().max(200), fatal: z.boolean() })
    .transform((one): Beacon => ({ ...from(one), type: "error", isFatal: one.fatal })),
  rung: z
    .object({
      ...said,
      bps: z.number().min(0).max(1e10).nullish(),
      height: z.number().int().min(0).max(20_000).nullish(),
    })
    .transform((one): Beacon => ({ ...from(one), type: "rung" })),
  heartbeat: z
    .object({ ...said, playedSeconds: seconds })
    .transform((one): Beacon => ({ ...from(one), type: "heartbeat", playedMs: inMs(one.playedSeconds) })),
};

const beacon = z
  .object({
    type: z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,39}$/),
    at: instant,
    positionSeconds: z.number().min(0).max(1_000_000),
  })
  .catchall(z.union([z.string().max(200), z.number(), z.boolean(), z.null()]))
  .superRefine((event, context) => {
    const form = formOf(event);
    const issues = form?.safeParse(event).error?.issues ?? [];
    for (const { path, message } of issues) context.addIssue({ code: "custom", path, message });
  });
type Event = z.infer<typeof beacon>;

export const beacons = z.strictObject({ events: z.array(beacon).min(1).max(100) }).openapi("Beacons", {
  description:
    "`type` is any word of the player's own. With `seq`, a number of its own in the session, these count, once each: " +
    "`startup` {startupSeconds}, `stall` {durationSeconds}, `error` {code, fatal}, `rung` {bps?, height?} and " +
    "`heartbeat` {playedSeconds, since the last one}; each with the `renditionId` of the picture that is shown.",
});

function formOf(event: Event) {
  const { type } = event;
  return event.seq !== undefined && Object.hasOwn(COUNTED, type)
    ? COUNTED[type as keyof typeof COUNTED]
    : undefined;
}

/** The events that count, as they are counted. */
export function countedBeacons(events: readonly Event[]): Beacon[] {
  return events.flatMap((event) => formOf(event)?.parse(event) ?? []);
}

const DAY_MS = 86_400_000;

/**
 * The last moment said, by the player's own clock, and of two places at one moment the one further on. A clock more than a day ahead
 * of `now` tells nothing of order: `now` stands for what it says, or nothing that is said later in the session would count.
 */
export function latestOf(events: readonly Event[], now: Date): { at: Date; positionSeconds: number } {
  let latest = { at: new Date(0), positionSeconds: 0 };
  for (const { at, positionSeconds } of events) {
    const said = new Date(at);
    const time = said.getTime() > now.getTime() + DAY_MS ? now : said;
    const isLater = time > latest.at || (time >= latest.at && positionSeconds > latest.positionSeconds);
    if (isLater) latest = { at: time, positionSeconds };
  }
  return latest;
}
