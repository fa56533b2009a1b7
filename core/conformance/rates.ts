import type { VariantView } from "./package-view.ts";
import { each, must, type Rule, should } from "./rule.ts";
import { combinedRates, familyOf, nameOf, numberOf, videoTracks } from "./selections.ts";

/** Apple HLS authoring specification, section 1, bit rates: always measured from bytes. */

const TOLERANCE = 0.1;

function off(stated: number, measured: number): boolean {
  return !(Math.abs(stated - measured) <= measured * TOLERANCE);
}

function ladderOf({ attributes, playlist }: VariantView): string {
  return `${familyOf(playlist.init?.sampleEntry ?? "")} ${attributes.get("VIDEO-RANGE")}`;
}

export const RATE_RULES: Rule[] = [
  must("1.26", "AVERAGE-BANDWIDTH is within 10 % of the measured average", (view) =>
    each(
      view.variants.filter(({ attributes }) => attributes.has("AVERAGE-BANDWIDTH")),
      "none stated",
      (variant) => {
        const stated = numberOf(variant.attributes, "AVERAGE-BANDWIDTH");
        const { averageBps } = combinedRates(view, variant);
        return off(stated, averageBps) ? `${nameOf(variant)} states ${stated}, measured ${averageBps}` : null;
      },
    ),
  ),
  must("1.27", "BANDWIDTH is within 10 % of the measured peak", (view) =>
    each(view.variants, "no variants", (variant) => {
      const stated = numberOf(variant.attributes, "BANDWIDTH");
      const { peakBps } = combinedRates(view, variant);
      return off(stated, peakBps) ? `${nameOf(variant)} states ${stated}, measured ${peakBps}` : null;
    }),
  ),
  should("1.30", "the peak is at most twice the average", (view) =>
    each(view.variants, "no variants", (variant) => {
      const { averageBps, peakBps } = combinedRates(view, variant);
      return peakBps > 2 * averageBps ? `${nameOf(variant)}: ${peakBps} over ${averageBps}` : null;
    }),
  ),
  // Of several codecs each has its own ladder: a player starts within the one that it takes.
  should("1.32", "the first variant is the one of its codec and range nearest to 2 Mbit/s", (view) => {
    const distance = (variant: VariantView): number =>
      Math.abs(combinedRates(view, variant).averageBps - 2_000_000);
    return each(view.variants.slice(0, 1), "no variants", (first) => {
      const nearer = view.variants.find(
        (one) => ladderOf(one) === ladderOf(first) && distance(one) < distance(first),
      );
      return nearer === undefined ? null : `${nameOf(first)} is first, ${nameOf(nearer)} is nearer`;
    });
  }),
  should("1.34", "some UHD variant is at most 15 Mbit/s", (view) => {
    const tall = videoTracks(view).filter(({ init }) => init.height >= 2160 || init.width >= 3840);
    return each(tall.slice(0, 1), "no UHD", () =>
      tall.some((variant) => combinedRates(view, variant).averageBps <= 15_000_000)
        ? null
        : "all UHD is above",
    );
  }),
  should(
    "ios-9.21",
    "a variant with a peak of at most 192 kbit/s (a MUST where cellular networks deliver it)",
    (view) =>
      each(view.variants.slice(0, 1), "no variants", () => {
        const least = Math.min(...view.variants.map((variant) => combinedRates(view, variant).peakBps));
        return least <= 192_000 ? null : `the smallest peak is ${least}`;
      }),
  ),
];
