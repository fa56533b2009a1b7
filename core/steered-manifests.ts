import { OWN_PATHWAY, STEERING_NAME } from "./steering.ts";

const MULTIVARIANT_HEAD = "#EXT-X-INDEPENDENT-SEGMENTS\n";

/** The multivariant playlist with a steering server (8216bis 4.4.6.6) beside it and all variants on its own pathway. */
export function steeredMultivariant(text: string): string {
  const tag = `#EXT-X-CONTENT-STEERING:SERVER-URI="${STEERING_NAME}",PATHWAY-ID="${OWN_PATHWAY}"\n`;
  // Apple 9.18: with steering, each variant says its pathway.
  return text
    .replace(MULTIVARIANT_HEAD, MULTIVARIANT_HEAD + tag)
    .replace(/^(#EXT-X-(?:I-FRAME-)?STREAM-INF:)/gm, `$1PATHWAY-ID="${OWN_PATHWAY}",`);
}

/** One edge of a steered MPD: what a steering manifest calls it, and the session's package there. */
export interface MpdLocation {
  id: string;
  baseUrl: string;
}

/**
 * The MPD with all edges (ISO/IEC 23009-1 5.6.5: alternatives of one content), best first, and the server that steers
 * between them (ETSI TS 103 998).
 */
export function steeredMpd(text: string, locations: readonly MpdLocation[], serverUrl: string): string {
  const bases = locations.map(
    ({ id, baseUrl }) => `  <BaseURL serviceLocation="${escaped(id)}">${escaped(baseUrl)}</BaseURL>\n`,
  );
  const first = escaped(locations[0]?.id ?? "");
  const server = `  <ContentSteering defaultServiceLocation="${first}">${escaped(serverUrl)}</ContentSteering>\n`;
  // A replacer: what stands in an address must not be read as a pattern's.
  return text.replace(/<MPD [^>]*>\n/, (head) => head + bases.join("") + server);
}

/** Addresses hold none of the others that XML forbids. */
function escaped(address: string): string {
  return address.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
