/** What services answer on /readyz: a word, or a word with an explanation, for each thing they stand on. */
type Dependency = string | { ok: boolean; problem?: string; detail?: string };

const ANSWER_MS = 5_000;

/**
 * Asks a service's /readyz. Null only where each of its dependencies is as it should be: one that only
 * degrades the service is a weakness too, and a local start does not begin weak.
 */
export async function readiness(url: string): Promise<string | null> {
  const { status, dependencies } = await ask(url);
  const problems = Object.entries(dependencies).flatMap(([name, state]) => {
    if (typeof state === "string") return state === "ok" ? [] : [`${name}: ${state}`];
    return state.ok ? [] : [`${name}: ${state.problem ?? state.detail ?? "not ready"}`];
  });
  if (problems.length > 0) return problems.join("; ");
  return status === 200 ? null : `/readyz answers ${status}`;
}

/** What a ready service warns of: things that were allowed, and that nobody should overlook. */
export async function dangers(url: string): Promise<string[]> {
  const { dependencies } = await ask(url);
  return Object.entries(dependencies).flatMap(([name, state]) =>
    typeof state === "object" && state.detail?.startsWith("UNSAFE") ? [`${name} ${state.detail}`] : [],
  );
}

async function ask(url: string): Promise<{ status: number; dependencies: Record<string, Dependency> }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  const body = (await response.json()) as { dependencies?: Record<string, Dependency> };
  return { status: response.status, dependencies: body.dependencies ?? {} };
}
