import type { SampleTimes, Table } from "./sample-places.ts";

/** Which part of its samples a track shows, and when. */

/** What an edit list of at most one empty and one real edit says, in ticks of the track. */
interface Edit {
  delayTicks: number;
  startTicks: number;
  lengthTicks: number;
}

export const PLAIN: Edit = { delayTicks: 0, startTicks: 0, lengthTicks: 0 };

/** 8.6.6. null: more edits than that, or another speed than 1. */
export function readEdit(elst: Table, ticksPerMovieTick: number): Edit | null {
  const count = elst.u32(4);
  const wide = elst.version === 1;
  const edit = { ...PLAIN };
  for (let row = 0; row < count; row++) {
    const at = 8 + row * (wide ? 20 : 12);
    const length = wide ? elst.u64(at) : elst.u32(at);
    const mediaTime = wide ? elst.i64(at + 8) : elst.i32(at + 4);
    const rate = elst.u32(at + (wide ? 16 : 8));
    if (rate !== 0x10000) return null;
    if (mediaTime === -1 && row === 0) edit.delayTicks = Math.round(length * ticksPerMovieTick);
    else if (mediaTime >= 0 && row === count - 1) {
      edit.startTicks = mediaTime;
      edit.lengthTicks = Math.round(length * ticksPerMovieTick);
    } else return null;
  }
  return edit;
}

/** Moves the times to where they are shown, in place. */
export function applyEdit({ decode, shown }: SampleTimes, { delayTicks, startTicks, lengthTicks }: Edit) {
  const shift = delayTicks - startTicks;
  const isShown = new Uint8Array(shown.length);
  const end = lengthTicks > 0 ? startTicks + lengthTicks : Number.POSITIVE_INFINITY;
  for (let at = 0; at < shown.length; at++) {
    const ticks = shown[at]!;
    if (ticks >= startTicks && ticks < end) isShown[at] = 1;
    shown[at] = ticks + shift;
    decode[at]! += shift;
  }
  return { decodeTicks: decode, shownTicks: shown, isShown };
}
