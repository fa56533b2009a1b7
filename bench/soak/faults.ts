/** A span in which something was wrong with one part of the product, in milliseconds since the soak began. */
export interface Fault {
  kind: string;
  target: string;
  from: number;
  /** null: it still is. */
  to: number | null;
}

/** What was done to the product, and when: what an odd answer is held against. */
export interface FaultLog {
  all: Fault[];
  now(): number;
  /** Notes that it begins; the function that is given notes its end. */
  begin(kind: string, target: string): () => void;
  /** The faults of these targets (all of them without any) that reach into the span, `graceMs` longer than they lasted. */
  during(from: number, to: number, graceMs: number, targets?: readonly string[]): Fault[];
}

export function openFaultLog(): FaultLog {
  const began = performance.now();
  const all: Fault[] = [];
  const now = (): number => performance.now() - began;
  return {
    all,
    now,
    begin(kind, target) {
      const fault: Fault = { kind, target, from: now(), to: null };
      all.push(fault);
      return () => {
        fault.to ??= now();
      };
    },
    during: (from, to, graceMs, targets) =>
      all.filter(
        (one) =>
          (targets === undefined || targets.includes(one.target)) &&
          one.from <= to &&
          (one.to === null || one.to + graceMs >= from),
      ),
  };
}

/** For people: what was wrong, with what. */
export function named(faults: readonly Fault[]): string {
  return faults.length === 0
    ? "nothing"
    : [...new Set(faults.map((one) => `${one.target} ${one.kind}`))].join(", ");
}
