import type { Acts, Desk, Own } from "./desk.ts";

/** Whatever names more than one thing; the client looks whose they are. */
const LISTS = [
  "/v1/assets?limit=100",
  "/v1/titles?limit=100",
  "/v1/links?limit=100",
  "/v1/catalog/home",
  "/v1/catalog/titles?limit=100",
  "/v1/catalog/search?q=film",
  "/v1/analytics/overview",
];

/** What shows whether tenants are apart: looking at what there is of one's own, and reaching for what is others'. */
export function boundaryActs(desk: Desk, own: Own): Acts {
  return [
    [1, () => lookAround(desk, own)],
    [1, () => trespass(desk)],
  ];
}

async function lookAround({ client, chance, known }: Desk, { assets }: Own): Promise<void> {
  await client.insist("GET", chance.pick(LISTS));
  if (assets.length > 0) {
    const asset = chance.pick(assets);
    await client.insist("GET", `/v1/assets/${asset.id}/ledger`);
    await client.listen(`/v1/assets/${asset.id}/events`, [200]);
  }
  known.count("looked around");
}

type Reach = [method: string, path: string, wanted: number, body?: object];

/** By the prefix of its id: what may be tried with a thing of somebody else's. */
const REACHES: Record<string, (id: string) => Reach[]> = {
  as: (id) => [
    ...["", "/ledger", "/conformance", "/generations"].map((part): Reach => ["GET", asset(id) + part, 404]),
    ...["/cancel", "/retry", "/reprocess"].map((part): Reach => ["POST", asset(id) + part, 404, {}]),
    ["POST", `${asset(id)}/preview`, 404],
    ["DELETE", asset(id), 404],
    ["POST", "/v1/uploads", 400, { filename: "film.mp4", sizeBytes: 1_000, assetId: id }],
    ["POST", "/v1/titles", 400, { name: "Mine", assetId: id }],
  ],
  ti: (id) => [
    ["GET", `/v1/titles/${id}`, 404],
    ["GET", `/v1/catalog/titles/${id}`, 404],
    ["POST", `/v1/titles/${id}/publish`, 404, {}],
    ["POST", `/v1/titles/${id}/unpublish`, 404],
    ["DELETE", `/v1/titles/${id}`, 404],
    ["POST", "/v1/playback", 404, { titleId: id }],
    ["POST", "/v1/links", 404, { titleId: id }],
  ],
  up: (id) => [
    ["GET", `/v1/uploads/${id}`, 404],
    ["POST", `/v1/uploads/${id}/complete`, 404, {}],
    ["DELETE", `/v1/uploads/${id}`, 404],
  ],
  ps: (id) => [
    ["POST", `/v1/playback/${id}/renew`, 404],
    ["DELETE", `/v1/playback/${id}`, 404],
  ],
};

const asset = (id: string): string => `/v1/assets/${id}`;

/** What is another tenant's is not there, and stays as it is: what its own editors know of it would show it. */
async function trespass({ client, chance, known, sightings, tenant }: Desk): Promise<void> {
  const [prefix, reaches] = chance.pick(Object.entries(REACHES));
  const those = sightings.ofOthers(tenant, prefix);
  if (those.length === 0) return;
  const id = chance.pick(those);
  const [method, path, wanted, body] = chance.pick(reaches(id));
  await client.insist(method, path, body, [wanted]);
  if (prefix === "as") await client.listen(`${asset(id)}/events`, [404]);
  known.count("trespassed");
}
