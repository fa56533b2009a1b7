import type { Preview } from "../answers.ts";
import type { Api } from "../api-client.ts";

const KEY = "matinee.posters";
/** Looked up anew well before its grant ends. */
const SPARE_MS = 60_000;

interface Known {
  url: string | null;
  expiresAt: string;
}

export type Posters = (assetId: string) => Promise<string | null>;

/** Posters of playable assets. A preview session is what gives their URL; asked for once per asset and grant. */
export function openPosters(api: Api): Posters {
  const asked = new Map<string, Promise<string | null>>();
  const ask = async (assetId: string) => {
    const known = read()[assetId];
    if (known !== undefined && Date.parse(known.expiresAt) - SPARE_MS > Date.now()) return known.url;
    const preview = await api.call<Preview>("POST", `/v1/assets/${assetId}/preview`);
    const { posterUrl, expiresAt } = preview;
    sessionStorage.setItem(KEY, JSON.stringify({ ...read(), [assetId]: { url: posterUrl, expiresAt } }));
    return posterUrl;
  };
  return (assetId) => {
    const asking = asked.get(assetId) ?? ask(assetId).catch(() => null);
    asked.set(assetId, asking);
    return asking;
  };
}

function read(): Record<string, Known> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Record<string, Known>;
  } catch {
    return {};
  }
}
