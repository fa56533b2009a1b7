import { parseGrantKeys, signGrant } from "../../core/grant.ts";

/** Segments of a film as many viewers ask for them. */

/** `/v/<grant>/<asset>/<generation>/` for so many viewers of the film that one of them reads below `pathname`. */
export function grantedPrefixes(
  environment: Record<string, string>,
  pathname: string,
  viewers: number,
): string[] {
  const [key] = parseGrantKeys(environment.MATINEE_GRANT_KEYS ?? "");
  if (key === undefined) throw new Error("no key to sign grants with");
  const prefix = pathname.replace(/^\/v\/[^/]+/, "");
  const expiresAtSeconds = Math.floor(Date.now() / 1_000) + 3_600;
  return Array.from({ length: viewers }, (_, viewer) => {
    const session = `ps_${String(viewer).padStart(26, "0")}`;
    return `/v/${signGrant(key, { prefix, expiresAtSeconds, session })}${prefix}`;
  });
}

/** For wrk: every prefix in turn; each gets to every path in time. */
export function getScript(prefixes: readonly string[], paths: readonly string[]): string {
  const lua = (texts: readonly string[]) => texts.map((text) => JSON.stringify(text)).join(", ");
  return `
local prefixes = { ${lua(prefixes)} }
local paths = { ${lua(paths)} }
local at = 0
request = function()
  at = at + 1
  local path = (at % #prefixes + math.floor(at / #prefixes)) % #paths + 1
  return wrk.format("GET", prefixes[at % #prefixes + 1] .. paths[path])
end
`;
}
