import type { RuleResult } from "../../core/conformance/rule.ts";
import type { ProofLine } from "../../core/proof.ts";
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
  /** What was seen when it was played; absent until it has been. */
  proof?: ProofLine[];
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

/** Adds to a report what was seen when the package was played. */
export async function saveProof(
  library: Library,
  assetId: string,
  generation: string,
  proof: readonly ProofLine[],
): Promise<void> {
  const _id = `${assetId}.${generation}`;
  await fromDriver(library.conformance.updateOne({ _id }, { $set: { proof: [...proof] } }));
}

/** The report of one generation, or null where it was never checked. */
export async function findConformance(
  library: Library,
  assetId: string,
  generation: string,
): Promise<ConformanceRecord | null> {
  return fromDriver(library.conformance.findOne({ _id: `${assetId}.${generation}` }));
}
