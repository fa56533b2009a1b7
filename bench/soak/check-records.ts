import type { ConformanceView } from "../../api/asset-report-routes.ts";
import type { AssetView } from "../../api/asset-view.ts";
import type { Acknowledged, KnownAsset } from "./acknowledged.ts";
import type { Client } from "./client.ts";

/** What must hold once nothing is to be done any more. Each check gives a line for each thing that does not. */

const STATE_OF_FATE = { made: "ready", cancelled: "cancelled", deleted: "deleted" } as const;

/** Every accepted upload came to the end that it should. */
export async function checkAssets(client: Client, known: Acknowledged): Promise<string[]> {
  const faults: string[] = [];
  for (const asset of known.assets) {
    const { status, body } = await client.insist("GET", `/v1/assets/${asset.id}`);
    const fault = status === 200 ? faultOfAsset(asset, body) : `${status}`;
    if (fault !== null) faults.push(`${asset.id} ${asset.filename} (${asset.fate}): ${fault}`);
    if (body.state !== "ready") continue;
    const report = await client.insist("GET", `/v1/assets/${asset.id}/conformance`);
    faults.push(...brokenRules(report.body).map((rule) => `${asset.id} ${asset.filename} breaks ${rule}`));
  }
  return faults;
}

/** Rules that the package must keep and does not, and what of it did not play. */
function brokenRules({ results, proof }: ConformanceView): string[] {
  return [
    ...results.filter(({ level, verdict }) => level === "MUST" && verdict === "fail").map(({ rule }) => rule),
    ...(proof ?? [])
      .filter(({ verdict }) => verdict === "fail")
      .map(({ part, evidence }) => `${part}: ${evidence}`),
  ];
}

function faultOfAsset(asset: KnownAsset, body: AssetView): string | null {
  const { fate, alsoFate, film, filename, isRolledBack, tracks } = asset;
  if (fate === "made" && film.failsWith.length > 0) {
    if (body.state === "ready") return "is ready, and should not be";
    return body.state === "failed" && film.failsWith.includes(body.error?.code ?? "")
      ? null
      : `${body.state} ${body.error?.code}`;
  }
  const wanted = [STATE_OF_FATE[fate], ...(alsoFate === null ? [] : [STATE_OF_FATE[alsoFate]])];
  if (!wanted.includes(body.state as never))
    return `${body.state} ${body.error?.code}: ${body.error?.message}`;
  if (body.state !== "ready") return null;
  if (!isRolledBack && body.filename !== filename) return `is made of ${body.filename}`;
  const texts = body.renditions.filter(({ kind }) => kind === "subtitle").map(({ language }) => language);
  const missing = isRolledBack ? [] : [...tracks].filter((language) => !texts.includes(language));
  return missing.length > 0 ? `without its tracks ${missing}` : null;
}

/** Every accepted change of a title, and every link, is there. */
export async function checkTitles(client: Client, known: Acknowledged): Promise<string[]> {
  const faults: string[] = [];
  for (const title of known.titles) {
    const { status, body } = await client.insist("GET", `/v1/titles/${title.id}`, undefined, [200, 404]);
    const isGone = title.state === "deleted";
    if (isGone !== (status === 404)) faults.push(`${title.id} (${title.state}): ${status}`);
    else if (!isGone && (body.name.en !== title.name || body.state !== title.state))
      faults.push(
        `${title.id} is ${body.state} and called ${body.name.en}, not ${title.state} and ${title.name}`,
      );
    for (const code of title.links) {
      const link = await client.insist("GET", `/v1/links/${code}`, undefined, [200, 404]);
      if (isGone !== (link.status === 404)) faults.push(`link ${code} of ${title.id}: ${link.status}`);
      const visit = await client.insist("GET", `/l/${code}`, undefined, [302, 404]);
      if ((title.state === "published") !== (visit.status === 302))
        faults.push(`link ${code} of ${title.id} (${title.state}) is answered ${visit.status}`);
    }
  }
  return faults;
}
