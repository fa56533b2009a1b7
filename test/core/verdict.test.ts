import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureClass } from "../../core/errors.ts";
import { verdictOn } from "../../core/retry-verdict.ts";

test("F23 how often each kind of failure is tried again", () => {
  const table: [FailureClass, string, number][] = [
    ["source", "source_damaged", 1],
    ["ours", "internal", 3],
    // A limit of memory, time or output: twice more, in larger classes of memory.
    ["resource", "encode_failed", 3],
    ["resource", "source_too_large", 3],
    // A full disk is waited for, and so is an outer part.
    ["resource", "scratch_full", 40],
    ["transient", "blob_store_unavailable", 40],
    // A server of others that is away: its owner can begin anew.
    ["transient", "source_unreachable", 12],
    // One that has had all the time there is for a fetch.
    ["source", "source_unreachable", 1],
  ];
  for (const [failureClass, code, attempts] of table) {
    const verdicts = Array.from({ length: attempts }, (_, index) =>
      verdictOn({ failureClass, code }, index + 1),
    );
    assert.equal(verdicts.indexOf("final"), attempts - 1, code);
  }
});

test("a server that is away is waited for some three and a half minutes, beside what its attempts take", () => {
  const away = { failureClass: "transient", code: "source_unreachable" } as const;
  let seconds = 0;
  for (let failures = 1; ; failures++) {
    const verdict = verdictOn(away, failures);
    if (verdict === "final") break;
    seconds += verdict.retryInSeconds;
  }
  assert.equal(seconds, 211);
});
