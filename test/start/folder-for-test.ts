import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Report } from "../../infra/start/report.ts";

/** An empty folder that goes when the test ends. */
export function folderForTest(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "matinee-start-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A report that keeps what it was told, and lets a test wait for it. */
export function reportForTest(): Report & { lines: string[]; heard(words: RegExp): Promise<void> } {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const hear = (text: string) => {
    lines.push(text);
    for (const look of waiting) look();
  };
  return {
    lines,
    step: (part, text) => hear(`${part}: ${text}`),
    done: (part, text) => hear(`${part}: ${text}`),
    note: (part, text) => hear(`${part}: ${text}`),
    fail: hear,
    plain: hear,
    heard: (words) =>
      new Promise((resolve) => {
        const look = () => {
          if (!lines.some((line) => words.test(line))) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
