import assert from "node:assert/strict";
import { test } from "node:test";
import { explainFailure, IngestFailure } from "../../studio/cli/next-step.ts";
import { GERMAN } from "../../studio/web/strings-de.ts";
import { ENGLISH } from "../../studio/web/strings-en.ts";

/** What a person is told to do about a failure: it has to be something that helps. */

test("no advice names a limit of pictures of its own: the failure's message says it", () => {
  const { nextStep } = explainFailure(new IngestFailure("dimensions_refused", "too large"));
  for (const advice of [nextStep, ENGLISH.next_dimensions_refused, GERMAN.next_dimensions_refused])
    assert.doesNotMatch(advice, /\d/);
});
