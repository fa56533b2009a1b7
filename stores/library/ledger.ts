import type { AttemptRecord } from "../../core/records/task.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import type { Page, PagePosition } from "./pages.ts";

export interface LedgerEntry extends AttemptRecord {
  taskId: string;
}

/** Where an attempt stands: among equal starts, its task and its place there decide, neither of which ever changes. */
interface Line extends PagePosition {
  taskId: string;
  index: number;
}

/** The attempts at all tasks of the asset, oldest first: at most `limit` of those behind `after`. */
export async function readLedger(
  library: Library,
  tenant: string,
  assetId: string,
  { limit, after }: { limit: number; after: PagePosition | null },
): Promise<Page<LedgerEntry>> {
  const lines = (await listLines(library, tenant, assetId))
    .sort(byPosition)
    .filter((line) => after === null || byPosition(line, after) > 0);
  const page = lines.slice(0, limit);
  const attempts = await attemptsOf(library, tenant, new Set(page.map(({ taskId }) => taskId)));
  const records = page.flatMap(({ taskId, index }) => {
    const attempt = attempts.get(taskId)?.[index];
    return attempt === undefined ? [] : [{ ...attempt, taskId }];
  });
  const last = page.at(-1);
  return { records, next: lines.length > limit && last !== undefined ? last : null };
}

/** The starts alone: what was run is a hundred times as much, and of a long film there are thousands. */
async function listLines(library: Library, tenant: string, assetId: string): Promise<Line[]> {
  const query = library.tasks.find(
    { assetId, tenant },
    { projection: { "attempts.startedAt": 1 }, maxTimeMS: 2_000 },
  );
  return (await fromDriver(query.toArray())).flatMap(({ _id: taskId, attempts }) =>
    attempts.map(({ startedAt }, index) => ({
      ...{ createdAt: startedAt, id: `${taskId}#${index}` },
      ...{ taskId, index },
    })),
  );
}

async function attemptsOf(
  library: Library,
  tenant: string,
  taskIds: ReadonlySet<string>,
): Promise<Map<string, AttemptRecord[]>> {
  const query = library.tasks.find(
    { _id: { $in: [...taskIds] }, tenant },
    { projection: { attempts: 1 }, maxTimeMS: 2_000 },
  );
  return new Map((await fromDriver(query.toArray())).map(({ _id, attempts }) => [_id, attempts]));
}

function byPosition(a: PagePosition, b: PagePosition): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : Number(a.id > b.id));
}
