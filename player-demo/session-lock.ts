/** A page that was loaded anew is gone within a moment, and its locks with it; a twin stays. */
const PAGE_GOES_MS = 2_000;

/**
 * Says to the other tabs of this browser that the session plays in this one, for as long as the page lives. Returns how to
 * take that back. Where the browser has no locks (plain HTTP), nobody is told.
 */
export function holdSession(sessionId: string): () => void {
  if (!("locks" in navigator)) return () => undefined;
  const held = Promise.withResolvers<void>();
  navigator.locks.request(nameOf(sessionId), () => held.promise).catch(() => undefined);
  return held.resolve;
}

/** Whether no page of this browser plays the session, as far as that can be known here: true where there are no locks. */
export async function isFree(sessionId: string): Promise<boolean> {
  if (!("locks" in navigator)) return true;
  try {
    await navigator.locks.request(
      nameOf(sessionId),
      { signal: AbortSignal.timeout(PAGE_GOES_MS) },
      () => undefined,
    );
    return true;
  } catch {
    return false;
  }
}

function nameOf(sessionId: string): string {
  return `matinee.session.${sessionId}`;
}
