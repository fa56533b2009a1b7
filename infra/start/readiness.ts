/** What services answer on /readyz: a word, or a word with an explanation, for each thing they stand on. */
type Dependency = string | { ok: boolean; problem?: string; detail?: string };

const ANSWER_MS = 5_000;

/**
 * Asks a service's /readyz. Null only where each of its dependencies is as it should be: one that only
 * degrades the service is a weakness too, and a local start does not begin weak.
 */
export async function readiness(url: string): Promise<string | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  const text = await response.text();
  const problems = problemsIn(text);
  if (problems.length > 0) return problems.join("; ");
  return response.ok ? null : `/readyz answers ${response.status}`;
}

function problemsIn(text: string): string[] {
  const body = JSON.parse(text) as { dependencies?: Record<string, Dependency> };
  return Object.entries(body.dependencies ?? {}).flatMap(([name, state]) => {
    if (typeof state === "string") return state === "ok" ? [] : [`${name}: ${state}`];
    return state.ok ? [] : [`${name}: ${state.problem ?? state.detail ?? "not ready"}`];
  });
}
