import { randomBytes } from "node:crypto";
import type { Product } from "../../test/rig/product.ts";
import { makeViewers } from "../make-viewers.ts";
import { publishTitle } from "../publish-title.ts";
import type { Asked } from "./asked.ts";

/** What an evening's crowd and a content team ask an API for: RELIABILITY F31 names the three rates. */

const TITLES = 100;
const VIEWERS = 500;
const UPLOADS = 20;
const PARTS_AT_ONCE = 8;

/** Fills the library with titles of one film, and says what is asked of it. */
export async function evening(product: Product, assetId: string): Promise<Asked[]> {
  const titleIds: string[] = [];
  for (let count = 0; count < TITLES; count++) titleIds.push(await publishTitle(product, assetId));
  const viewers = await makeViewers(product, VIEWERS);
  const by = (index: number): string => viewers[index % viewers.length]!;
  const get = (path: string, index: number) => ({ method: "GET", path, token: by(index) });
  return [
    {
      ...{ name: "catalog: home, a page, a search, a title", perSecond: 500 },
      requests: viewers.flatMap((_, index) => [
        get("/v1/catalog/home", index),
        get("/v1/catalog/titles?limit=20&sort=name", index),
        get("/v1/catalog/search?q=fil", index),
        get(`/v1/catalog/titles/${titleIds[index % TITLES]}`, index),
      ]),
    },
    {
      ...{ name: "sessions opened", perSecond: 200 },
      requests: viewers.map((token, index) => ({
        ...{ method: "POST", path: "/v1/playback", token },
        body: JSON.stringify({ titleId: titleIds[index % TITLES], capabilities: { renews: true } }),
      })),
    },
    { name: `${PARTS_AT_ONCE} parts signed`, perSecond: 200, requests: await partsToSign(product) },
  ];
}

async function partsToSign({ call, tokens }: Product): Promise<Asked["requests"]> {
  const parts = Array.from({ length: PARTS_AT_ONCE }, (_, index) => ({
    partNumber: index + 1,
    sha256: randomBytes(32).toString("base64"),
  }));
  const requests: Asked["requests"] = [];
  for (let count = 0; count < UPLOADS; count++) {
    const { status, body } = await call("POST", "/v1/uploads", { filename: "film.mp4", sizeBytes: 2 ** 30 });
    if (status !== 201) throw new Error(`no upload: ${JSON.stringify(body)}`);
    const path = `/v1/uploads/${body.id}/parts`;
    requests.push({ method: "POST", path, token: tokens.editor, body: JSON.stringify({ parts }) });
  }
  return requests;
}
