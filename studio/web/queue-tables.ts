import { formatClock } from "../pace.ts";
import { element } from "./element.ts";
import { queueText } from "./queue-strings.ts";
import { table } from "./table.ts";

/** `GET /admin/queues`, as far as the page shows it. */
export interface Queues {
  at: string;
  lanes: Lane[];
  assets: { state: string; count: number; longest: { id: string; tenant: string; since: string } | null }[];
  workers: { worker: string; tasks: number; since: string | null }[];
  claims: Claim[];
  failedAssets: {
    id: string;
    tenant: string;
    filename: string;
    at: string;
    code: string;
    retryable: boolean;
  }[];
}

interface Lane {
  lane: "fast" | "usual" | "pull";
  workSeconds: number;
  kinds: {
    kind: string;
    followsOthers: boolean;
    todo: number;
    backingOff: number;
    claimed: number;
    lapsed: number;
    failed: number;
    workSeconds: number;
  }[];
  unheard: number | null;
  hints: { waiting: number; active: number; delayed: number; consumers: number } | null;
}

interface Claim {
  assetId: string;
  tenant: string;
  kind: string;
  worker: string | null;
  claimedAt: string | null;
  leaseUntil: string | null;
  ratio: number;
}

/** All that the page tells, most urgent first. Ages are against the answer's own clock. */
export function queueSections(queues: Queues): HTMLElement[] {
  const ago = (time: string): string => formatClock((Date.parse(queues.at) - Date.parse(time)) / 1000);
  return [
    ...queues.lanes.map(laneSection),
    section(queueText("claims"), workersLine(queues), claimTable(queues.claims, queues.at)),
    section(
      queueText("assets"),
      table(
        [
          queueText("state"),
          queueText("count"),
          queueText("standing"),
          queueText("asset"),
          queueText("tenant"),
        ],
        queues.assets.map(({ state, count, longest }) => [
          state,
          String(count),
          ...(longest === null ? ["–", "–", "–"] : [ago(longest.since), longest.id, longest.tenant]),
        ]),
      ),
    ),
    section(
      queueText("failures"),
      queues.failedAssets.length === 0
        ? note("–")
        : table(
            [
              queueText("since"),
              queueText("why"),
              queueText("file"),
              queueText("asset"),
              queueText("tenant"),
            ],
            queues.failedAssets.map(({ at, code, retryable, filename, id, tenant }) => [
              ago(at),
              retryable ? `${code} (${queueText("retryable")})` : code,
              filename,
              id,
              tenant,
            ]),
          ),
    ),
  ];
}

function laneSection({ lane, workSeconds, kinds, unheard, hints }: Lane): HTMLElement {
  const counts = ["todo", "backingOff", "claimed", "lapsed", "failed"] as const;
  const rows = kinds.map((kind) => [
    kind.followsOthers ? queueText("follows", { kind: kind.kind }) : kind.kind,
    ...counts.map((count) => String(kind[count])),
    formatClock(kind.workSeconds),
  ]);
  const heads = [queueText("kind"), ...counts.map((count) => queueText(count)), queueText("work")];
  return section(
    queueText(`lane_${lane}`),
    note(queueText("workLeft", { time: formatClock(workSeconds) })),
    rows.length === 0 ? note(queueText("nothing")) : table(heads, rows),
    ...(unheard === null || unheard === 0 ? [] : [alarm(queueText("unheard", { tasks: unheard }))]),
    note(hints === null ? queueText("noHints") : queueText("hints", hints)),
  );
}

function workersLine({ workers }: Queues): HTMLElement {
  return note(
    workers.map(({ worker, tasks }) => queueText("workers", { worker, tasks })).join("  ·  ") || "–",
  );
}

function claimTable(claims: readonly Claim[], at: string): HTMLElement {
  if (claims.length === 0) return note(queueText("nothing"));
  const now = Date.parse(at);
  const seconds = (from: number, to: number): string => formatClock((to - from) / 1000);
  const leaseOf = (leaseUntil: string | null): string => {
    if (leaseUntil === null) return "–";
    const until = Date.parse(leaseUntil);
    return until >= now ? seconds(now, until) : queueText("leaseOver", { time: seconds(until, now) });
  };
  return table(
    (["kind", "worker", "since", "lease", "progress", "asset", "tenant"] as const).map((key) =>
      queueText(key),
    ),
    claims.map(({ kind, worker, claimedAt, leaseUntil, ratio, assetId, tenant }) => [
      kind,
      worker ?? "–",
      claimedAt === null ? "–" : seconds(Date.parse(claimedAt), now),
      leaseOf(leaseUntil),
      `${Math.round(ratio * 100)} %`,
      assetId,
      tenant,
    ]),
  );
}

function section(heading: string, ...content: HTMLElement[]): HTMLElement {
  return element("section", { class: "work" }, element("h2", {}, heading), ...content);
}

function alarm(words: string): HTMLElement {
  return element("p", { class: "problem" }, words);
}

function note(words: string): HTMLElement {
  return element("p", { class: "note" }, words);
}
