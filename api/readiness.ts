/** One outer part that the API stands on. */
export interface Dependency {
  name: string;
  /** Without a needed one nothing can be answered; without the others most can. */
  needed: boolean;
  check(): Promise<void>;
}

export interface Readiness {
  status: "ready" | "degraded" | "unavailable";
  dependencies: Record<string, { ok: boolean; needed: boolean; ms: number; problem?: string }>;
}

/** One real check serves everybody who asks within this. */
const FRESH_MS = 2_000;
const DEADLINE_MS = 3_000;

/** Checks all dependencies at once, each for real (write and read back), never more often than every 2 s. */
export function openReadiness(dependencies: readonly Dependency[]): () => Promise<Readiness> {
  let latest: { at: number; readiness: Promise<Readiness> } | null = null;
  return () => {
    if (latest === null || performance.now() - latest.at > FRESH_MS) {
      latest = { at: performance.now(), readiness: checkAll(dependencies) };
    }
    return latest.readiness;
  };
}

async function checkAll(dependencies: readonly Dependency[]): Promise<Readiness> {
  const checked = await Promise.all(dependencies.map(async (one) => [one.name, await check(one)] as const));
  const down = checked.filter(([, { ok }]) => !ok);
  const status =
    down.length === 0 ? "ready" : down.some(([, { needed }]) => needed) ? "unavailable" : "degraded";
  return { status, dependencies: Object.fromEntries(checked) };
}

async function check({ needed, check }: Dependency) {
  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("deadline")), DEADLINE_MS);
  try {
    await Promise.race([check(), late]);
    return { ok: true, needed, ms: since() };
  } catch (thrown) {
    const problem =
      thrown instanceof Error && thrown.name === "Failure" ? thrown.message : "It does not answer.";
    return { ok: false, needed, ms: since(), problem };
  } finally {
    clearTimeout(timer);
  }
}
