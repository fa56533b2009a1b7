import type { RuleResult } from "../../core/conformance/rule.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** What the gate said of one generation of one asset. `_id` is `<assetId>.<generation>`. */
export interface ConformanceRecord {
  _id: string;
  tenant: string;
  assetId: string;
  generation: string;
  checkedAt: Date;
  results: RuleResult[];
}

/** Keeps a report; one of the same generation, from an earlier attempt, is replaced. */
export async function saveConformance(
  library: Library,
  report: Omit<ConformanceRecord, "_id" | "checkedAt">,
): Promise<void> {
  const _id = `${report.assetId}.${report.generation}`;
  const checkedAt = library.serverNow();
  await fromDriver(
    library.conformance.updateOne({ _id }, { $set: { ...report, checkedAt } }, { upsert: true }),
  );
}

/** The report of one generation, or null where it was never checked. */
export async function findConformance(
  library: Library,
  assetId: string,
  generation: string,
): Promise<ConformanceRecord | null> {
  return fromDriver(library.conformance.findOne({ _id: `${assetId}.${generation}` }));
}
