/** Where in the world a country is, as far as it says who is near to whom. ISO 3166-1 alpha-2 by the UN's M49 regions. */
const COUNTRIES = {
  africa:
    "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW",
  asia: "AE AF AM AZ BD BH BN BT CN CY GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE",
  europe:
    "AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA",
  "north-america":
    "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI",
  oceania: "AS AU CC CK CX FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS",
  "south-america": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",
} as const;

export type Region = keyof typeof COUNTRIES;

export const REGIONS = Object.keys(COUNTRIES) as Region[];

const REGION_OF = new Map<string, Region>(
  REGIONS.flatMap((region) => COUNTRIES[region].split(" ").map((country) => [country, region] as const)),
);

/**
 * A country's capital two-letter code from what a token, a proxy or an address says; null where it is none. `XX` and `ZZ`
 * are what some say of nobody knows where.
 */
export function countryCode(said: string | null | undefined): string | null {
  const code = said?.trim().toUpperCase() ?? "";
  return /^[A-Z]{2}$/.test(code) && code !== "XX" && code !== "ZZ" ? code : null;
}

/** The region of a country by its capital two-letter code; null for one that is in none of them. */
export function regionOf(country: string): Region | null {
  return REGION_OF.get(country) ?? null;
}
