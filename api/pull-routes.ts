import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { Failure, invalidFields, requestFailure } from "../core/errors.ts";
import type { Network } from "../core/public-address.ts";
import { checkUrl, URL_FAULT_WORDS } from "../core/public-url.ts";
import { pulledName } from "../core/pulled-name.ts";
import type { Caller } from "../core/records/account.ts";
import { createAsset } from "../stores/library/assets.ts";
import { findTitle } from "../stores/library/titles.ts";
import { forRole } from "./auth.ts";
import { IDEMPOTENT, jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { encodingChoice, encodingOf } from "./encoding-choice.ts";
import { type IdMaker, once } from "./idempotency.ts";
import { problemAnswer } from "./problem-answers.ts";

const newPull = z
  .strictObject({
    /** http or https, to a public address, without a user name. May be signed: it is shown to nobody. */
    sourceUrl: z.string().min(1).max(8_000),
    /** Of the whole file; checked before anything is published. */
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional(),
    titleId: z.string().min(1).max(100).optional(),
    encoding: encodingChoice.optional(),
  })
  .openapi("NewPull");

const pullRoute = createRoute({
  tags: ["Assets"],
  ...forRole("editor"),
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/assets",
  summary: "Have a master fetched from a URL",
  request: { body: jsonBody(newPull) },
  responses: {
    202: jsonAnswer(
      z.object({ id: z.string() }).openapi("Pulled"),
      "The asset: it waits for its master, which is being fetched",
      ["Location"],
    ),
    403: problemAnswer("Nothing is fetched here unless its operator says so (`pull_ingest_disabled`)"),
  },
});

/** Masters that are fetched. The bytes go from their server to storage by way of a worker, never through the API. */
export function pullRoutes(deps: ApiDeps) {
  const { config, library } = deps;
  return new OpenAPIHono<ApiEnv>().openapi(pullRoute, async (c) => {
    const { pull } = config;
    if (pull === null) {
      const message = "Fetching from a URL is not enabled here; upload the file.";
      throw requestFailure(403, "pull_ingest_disabled", message);
    }
    const body = c.req.valid("json");
    const answer = await once(c, library, body, (makeId) =>
      orderPull(deps, pull.networks, c.get("caller"), body, makeId),
    );
    return c.json(answer, 202, { Location: `/v1/assets/${answer.id}` });
  });
}

async function orderPull(
  { config, library, hint }: ApiDeps,
  networks: readonly Network[],
  { tenant, subject: ownerId }: Caller,
  body: z.infer<typeof newPull>,
  makeId: IdMaker,
): Promise<{ id: string }> {
  const url = urlOf(body.sourceUrl, networks);
  const titleId = body.titleId ?? null;
  if (titleId !== null && (await findTitle(library, tenant, titleId)) === null)
    throw invalidFields([{ path: "titleId", message: "is not a title" }]);
  const { _id: id } = await createAsset(library, {
    id: makeId("as"),
    tenant,
    ownerId,
    titleId,
    filename: pulledName(undefined, url),
    encoding: encodingOf(body.encoding, config),
    pull: { sourceUrl: url, sha256: body.sha256?.toLowerCase() ?? null, transfer: null },
  });
  await hint.offer(id);
  return { id };
}

/** What can be said before a name is looked up: the worker looks at what is connected to (RELIABILITY T24). */
function urlOf(text: string, networks: readonly Network[]): string {
  const looked = checkUrl(text, networks);
  if ("url" in looked) return looked.url.href;
  const fields = [{ path: "sourceUrl", message: URL_FAULT_WORDS[looked.fault] }];
  if (looked.fault !== "address") throw invalidFields(fields);
  const message = "Nothing is fetched from that address; give one that is public.";
  throw new Failure("request", "source_refused", message, { status: 400, fields });
}
