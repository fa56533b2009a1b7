/** Which moments of a film make good posters: pure, from small grey pictures of it. */

export interface GreyPicture {
  atSeconds: number;
  width: number;
  height: number;
  /** Full range, row by row. */
  pixels: Uint8Array;
}

interface Looks {
  mean: number;
  /** Standard deviation: how far dark and light are apart. */
  contrast: number;
  /** Mean size of the Laplacian: how much fine detail there is; blur and flat surfaces have none. */
  sharpness: number;
}

export interface PosterWish {
  durationSeconds: number;
  /** How many are offered at most; fewer where the film has not so many different moments. */
  most: number;
}

/** Titles and credits: not looked at where there is anything else. */
const EDGE_RATIO = 0.04;
/** Outside these, of 255, a picture is taken for black, for white, or for one flat surface. */
const DARKEST_MEAN = 24;
const LIGHTEST_MEAN = 232;
const LEAST_CONTRAST = 14;
/** Mean difference of pixels below which two pictures are the same one to a person. */
const SAME_DIFFERENCE = 12;
/** From here on more light or contrast makes no better poster. */
const ENOUGH_LIGHT = 72;
const ENOUGH_CONTRAST = 56;
/** Scores nearer than one in so many are the same: of two pictures of nothing a trace of noise makes neither the better one. */
const SCORE_STEPS = 1000;

/** The best moments, as indexes into `pictures`, best first, of equal ones the earlier; at least one where there is any picture. */
export function choosePosters(pictures: readonly GreyPicture[], wish: PosterWish): number[] {
  const all = pictures.map((picture, index) => ({ index, picture, looks: look(picture) }));
  const edge = wish.durationSeconds * EDGE_RATIO;
  const inside = all.filter(
    ({ picture: { atSeconds } }) => atSeconds >= edge && atSeconds <= wish.durationSeconds - edge,
  );
  const usable = (inside.length > 0 ? inside : all).filter(({ looks }) => isUsable(looks));
  const rest = usable.length > 0 ? usable : all;
  const sharpest = Math.max(...rest.map(({ looks }) => looks.sharpness), Number.EPSILON);
  const ranked = rest.toSorted((a, b) => score(b.looks, sharpest) - score(a.looks, sharpest));
  const chosen: typeof ranked = [];
  // First moments well apart, then any that are different.
  for (const gapSeconds of [wish.durationSeconds / (2 * wish.most), 0]) {
    for (const one of ranked) {
      if (chosen.length >= wish.most) break;
      if (chosen.every((other) => isAnother(one.picture, other.picture, gapSeconds))) chosen.push(one);
    }
  }
  return chosen.map(({ index }) => index);
}

function isUsable({ mean, contrast }: Looks): boolean {
  return mean >= DARKEST_MEAN && mean <= LIGHTEST_MEAN && contrast >= LEAST_CONTRAST;
}

/** Of `SCORE_STEPS`. */
function score({ mean, contrast, sharpness }: Looks, sharpest: number): number {
  const light = Math.min(1, mean / ENOUGH_LIGHT, (255 - mean) / ENOUGH_LIGHT);
  const exact = light * Math.min(1, contrast / ENOUGH_CONTRAST) * Math.sqrt(sharpness / sharpest);
  return Math.round(exact * SCORE_STEPS);
}

function isAnother(one: GreyPicture, other: GreyPicture, gapSeconds: number): boolean {
  if (Math.abs(one.atSeconds - other.atSeconds) < gapSeconds) return false;
  let difference = 0;
  for (let at = 0; at < one.pixels.length; at++)
    difference += Math.abs((one.pixels[at] ?? 0) - (other.pixels[at] ?? 0));
  return difference / Math.max(1, one.pixels.length) >= SAME_DIFFERENCE;
}

function look({ pixels, width, height }: GreyPicture): Looks {
  let sum = 0;
  let squares = 0;
  for (const value of pixels) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / pixels.length;
  const contrast = Math.sqrt(Math.max(0, squares / pixels.length - mean * mean));
  let edges = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const around = pixels[at - 1]! + pixels[at + 1]! + pixels[at - width]! + pixels[at + width]!;
      edges += Math.abs(4 * pixels[at]! - around);
    }
  }
  return { mean, contrast, sharpness: edges / Math.max(1, (width - 2) * (height - 2)) };
}
