import { type Box, one, readBoxes, viewOf, withinBounds } from "./box-reader.ts";
import { box, concat } from "./box-writer.ts";

/** A track by itself, as it lies in a package: its header and some of its fragments. */
export interface LoneTrack {
  init: Uint8Array;
  fragments: readonly Uint8Array[];
}

/**
 * Files of one track each as one file of as many, numbered from 1 in the order given: for a reader that opens one file at a time.
 * The fragments' data must count from their own `moof` (CMAF 7.3.2.2), and none may be protected.
 */
export function joinTracks(tracks: readonly LoneTrack[]): Uint8Array {
  return withinBounds(() => {
    const headers = tracks.map(({ init }, index) => headerOf(init, index + 1));
    const { before, mvhd } = headers[0]!;
    const mvex = box(
      "mvex",
      headers.map(({ trex }) => trex),
    );
    const moov = box("moov", [mvhd, ...headers.map(({ trak }) => trak), mvex]);
    const fragments = tracks.flatMap(({ fragments }, index) =>
      fragments.map((fragment) => renumbered(fragment, index + 1)),
    );
    return concat([before, moov, ...fragments]);
  });
}

/** The parts of a header, its track renumbered (14496-12 8.3.2, 8.8.3). */
function headerOf(init: Uint8Array, trackId: number) {
  const bytes = copyOf(init);
  const inside = (parent: Box): Box[] => readBoxes(bytes, parent.body, parent.end);
  const moov = one(bytes, readBoxes(bytes), "moov");
  const inMoov = inside(moov);
  const trak = one(bytes, inMoov, "trak");
  const tkhd = one(bytes, inside(trak), "tkhd");
  const trex = one(bytes, inside(one(bytes, inMoov, "mvex")), "trex");
  const view = viewOf(bytes);
  view.setUint32(tkhd.body + (bytes[tkhd.body] === 1 ? 20 : 12), trackId);
  view.setUint32(trex.body + 4, trackId);
  const part = ({ start, end }: Box): Uint8Array => bytes.subarray(start, end);
  return {
    before: bytes.subarray(0, moov.start),
    mvhd: part(one(bytes, inMoov, "mvhd")),
    trak: part(trak),
    trex: part(trex),
  };
}

/** 14496-12 8.8.7: whose a fragment is stands in its `tfhd`. */
function renumbered(fragment: Uint8Array, trackId: number): Uint8Array {
  const bytes = copyOf(fragment);
  const moof = one(bytes, readBoxes(bytes), "moof");
  const traf = one(bytes, readBoxes(bytes, moof.body, moof.end), "traf");
  const tfhd = one(bytes, readBoxes(bytes, traf.body, traf.end), "tfhd");
  viewOf(bytes).setUint32(tfhd.body + 4, trackId);
  return bytes;
}

/** Not `slice`: of a Buffer, as storage hands them out, that is the same bytes. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}
