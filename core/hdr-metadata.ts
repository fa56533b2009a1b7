import { parseRational, toNumber } from "./rational.ts";
import type { Chromaticity, HdrMetadata } from "./source.ts";

/** HDR10's static metadata: as ffprobe prints it, and in the integers that streams and boxes hold. */

/** One entry of ffprobe's `side_data_list`, of a stream or a frame. */
export interface ProbeSideData {
  side_data_type?: string;
  rotation?: number;
  [member: string]: string | number | undefined;
}

/** SMPTE ST 2086 counts chromaticity in steps of 0.00002 and light in steps of 0.0001 cd/m². */
const PER_CHROMATICITY = 50_000;
const PER_CANDELA = 10_000;
/** The brightest that PQ can say. */
const BRIGHTEST = 10_000;

/** What the first list that says anything says; undefined where none does, or only what cannot be true. */
export function readHdrMetadata(...lists: (readonly ProbeSideData[] | undefined)[]): HdrMetadata | undefined {
  const all = lists.flatMap((list) => list ?? []);
  const display = all.find((side) => side.side_data_type === "Mastering display metadata");
  const light = all.find((side) => side.side_data_type === "Content light level metadata");
  const masteringDisplay = display && masteringDisplayOf(display);
  const contentLight = light && contentLightOf(light);
  if (!masteringDisplay && !contentLight) return undefined;
  return { ...(masteringDisplay && { masteringDisplay }), ...(contentLight && { contentLight }) };
}

function masteringDisplayOf(side: ProbeSideData): HdrMetadata["masteringDisplay"] {
  const number = (name: string): number => {
    const fraction = parseRational(String(side[name] ?? ""));
    return fraction === null ? Number.NaN : toNumber(fraction);
  };
  const colour = (name: string): Chromaticity => ({ x: number(`${name}_x`), y: number(`${name}_y`) });
  const [red, green, blue, white] = [colour("red"), colour("green"), colour("blue"), colour("white_point")];
  // A black of 0 is a fraction that has no lowest terms here: displays without backlight say so.
  const minLuminance = number("min_luminance") || 0;
  const maxLuminance = number("max_luminance");
  const isColour = ({ x, y }: Chromaticity): boolean => x >= 0 && y > 0 && x + y <= 1.0001;
  const isLight = maxLuminance > minLuminance && maxLuminance <= BRIGHTEST && minLuminance >= 0;
  if (![red, green, blue, white].every(isColour) || !isLight) return undefined;
  return { red, green, blue, white, minLuminance, maxLuminance };
}

/** CTA-861.3: 0 says that it is not known. */
function contentLightOf(side: ProbeSideData): HdrMetadata["contentLight"] {
  const [max, maxAverage] = [Number(side.max_content), Number(side.max_average)];
  const isKnown = max > 0 && max <= 65_535 && maxAverage >= 0 && maxAverage <= 65_535;
  return isKnown ? { max, maxAverage } : undefined;
}

/** The display in ST 2086's integers: green, blue, red, white point, then the brightest and the darkest light. */
export function masteringDisplayIntegers(display: NonNullable<HdrMetadata["masteringDisplay"]>): {
  chromaticities: readonly (readonly [x: number, y: number])[];
  max: number;
  min: number;
} {
  const { green, blue, red, white, maxLuminance, minLuminance } = display;
  const steps = (value: number): number => Math.round(value * PER_CHROMATICITY);
  return {
    chromaticities: [green, blue, red, white].map(({ x, y }) => [steps(x), steps(y)] as const),
    max: Math.round(maxLuminance * PER_CANDELA),
    min: Math.round(minLuminance * PER_CANDELA),
  };
}
