const GROUPS_PER_SEGMENT = 3;
const GROUP_SECONDS = 2;

/**
 * When a segment of a film begins, in seconds: the grid has three groups of two seconds a segment, each rounded to whole frames.
 * Reckoned, because the API tells a segment's number alone; of fields that were made frames it is the same.
 */
export function segmentStartSeconds(segment: number, framesPerSecond: number): number {
  const frames = Math.max(1, Math.round(GROUP_SECONDS * framesPerSecond)) * GROUPS_PER_SEGMENT;
  return (segment * frames) / framesPerSecond;
}
