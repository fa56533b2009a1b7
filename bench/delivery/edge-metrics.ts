/** What the Node edge at `origin` tells of itself, as far as it fits a pattern. */
export async function edgeMetrics(origin: string, pattern: RegExp): Promise<RegExpMatchArray[]> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return [...text.matchAll(pattern)];
}
