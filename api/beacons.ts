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

/** Events that count. One with `seq` is held to its form; without it, a word of the player's own that counts nothing. */
const COUNTED = {
  startup: z.looseObject({ seq, renditionId, startupSeconds: seconds }),
  stall: z.looseObject({ seq, renditionId, durationSeconds: seconds }),
  error: z.looseObject({ seq, renditionId, code: z.string().max(200), fatal: z.boolean() }),
  rung: z.looseObject({
    seq,
    renditionId,
    bps: z.number().min(0).max(1e10).nullish(),
    height: z.number().int().min(0).max(20_000).nullish(),
  }),
  heartbeat: z.looseObject({ seq, renditionId, playedSeconds: seconds }),
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

/** The events that count, in whole milliseconds: sums of those are the same in any order. */
export function countedBeacons(events: readonly Event[]): Beacon[] {
  return events.flatMap((event) => (formOf(event) === undefined ? [] : [counted(event)]));
}

function counted(event: Event): Beacon {
  switch (event.type) {
    case "startup": {
      const { startupSeconds, ...told } = COUNTED.startup.parse(event);
      return { ...from(told), type: "startup", startupMs: Math.round(startupSeconds * 1000) };
    }
    case "stall": {
      const { durationSeconds, ...told } = COUNTED.stall.parse(event);
      return { ...from(told), type: "stall", stallMs: Math.round(durationSeconds * 1000) };
    }
    case "heartbeat": {
      const { playedSeconds, ...told } = COUNTED.heartbeat.parse(event);
      return { ...from(told), type: "heartbeat", playedMs: Math.round(playedSeconds * 1000) };
    }
    case "error": {
      const { fatal, ...told } = COUNTED.error.parse(event);
      return { ...from(told), type: "error", isFatal: fatal };
    }
    default:
      return { ...from(COUNTED.rung.parse(event)), type: "rung" };
  }
}

function from(told: { seq: number; renditionId?: string | null | undefined }) {
  return { seq: told.seq, renditionId: told.renditionId ?? null };
}

/** The last moment said, by the player's own clock, and of two places at one moment the one further on. */
export function latestOf(events: readonly Event[]): { at: Date; positionSeconds: number } {
  let latest = { at: new Date(0), positionSeconds: 0 };
  for (const { at, positionSeconds } of events) {
    const time = new Date(at);
    const isLater = time > latest.at || (time >= latest.at && positionSeconds > latest.positionSeconds);
    if (isLater) latest = { at: time, positionSeconds };
  }
  return latest;
}
