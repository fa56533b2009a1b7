import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound } from "../core/errors.ts";
import { spokenCode } from "../core/link-code.ts";
import type { Caller } from "../core/records/account.ts";
import type { LinkRecord } from "../core/records/link.ts";
import { deleteLink, findLinks, listLinks } from "../stores/library/links.ts";
import { forRole } from "./auth.ts";
import { countryOf } from "./caller-country.ts";
import { cursorText, IDEMPOTENT, jsonAnswer, jsonBody, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { once } from "./idempotency.ts";
import { linkView, newLink, presentLink } from "./link-view.ts";
import { decodeCursor, encodeCursor, listDigest } from "./list-cursor.ts";
import { makeLink } from "./make-link.ts";
import { problemAnswer } from "./problem-answers.ts";
import { publicBase } from "./public-base.ts";

/** What a link's address ends in. Any text is taken: what is no code of ours is not found. */
export const codeParams = z.object({ code: z.string().min(1).max(200) });
const common = { tags: ["Share links"], ...forRole("viewer") };
const makeRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/links",
  summary: "Make a short address of a title, or of a moment of it",
  request: { body: jsonBody(newLink) },
  responses: {
    201: jsonAnswer(linkView, "The link; whoever follows it still needs an account", ["Location"]),
    404: problemAnswer("There is no such title, or it is not to be seen by the caller"),
    409: problemAnswer(
      "The words are another link's (`alias_taken`), or the account has a thousand (`too_many_links`)",
    ),
  },
});
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/links",
  summary: "List my links, newest first; editors see all of their tenant",
  request: {
    query: z.strictObject({
      limit: pageQuery.shape.limit,
      cursor: cursorText,
      titleId: z.string().min(1).max(200).optional(),
    }),
  },
  responses: { 200: jsonAnswer(pageOf(linkView), "One page") },
});
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/links/{code}",
  summary: "One link and how often it was followed",
  request: { params: codeParams },
  responses: { 200: jsonAnswer(linkView, "The link") },
});
const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/links/{code}",
  summary: "Take a link back; its words are free again",
  request: { params: codeParams },
  responses: { 204: { description: "It leads nowhere any more" } },
});

/** Share links as those who make them see them; following one is in `link-visit-routes.ts`. */
export function linkRoutes(deps: ApiDeps) {
  const { library, config, log } = deps;
  return new OpenAPIHono<ApiEnv>()
    .openapi(makeRoute, async (c) => {
      const body = c.req.valid("json");
      const country = countryOf(c, config);
      const answer = await once(c, library, body, async (makeId) => {
        const link = await makeLink(deps, c.get("caller"), country, body, makeId("ln"));
        return presentLink(link, publicBase(config, c));
      });
      return c.json(answer, 201, { Location: `/v1/links/${answer.code}` });
    })
    .openapi(listRoute, async (c) => {
      const { tenant, subject, role } = c.get("caller");
      const query = c.req.valid("query");
      const { limit, cursor, titleId } = query;
      const ownerId = role === "viewer" ? subject : undefined;
      const list = listDigest(c, { ...query, ownerId });
      const page = await listLinks(library, tenant, {
        ownerId,
        titleId,
        limit,
        after: decodeCursor(cursor, list),
      });
      const base = publicBase(config, c);
      const data = page.records.map((link) => presentLink(link, base));
      return c.json({ data, nextCursor: encodeCursor(page.next, list) }, 200);
    })
    .openapi(getRoute, async (c) => {
      const link = await found(deps, c.get("caller"), c.req.valid("param").code);
      return c.json(presentLink(link, publicBase(config, c)), 200);
    })
    .openapi(deleteRoute, async (c) => {
      const caller = c.get("caller");
      const { _id: code, titleId } = await found(deps, caller, c.req.valid("param").code);
      if (!(await deleteLink(library, caller.tenant, code))) throw notFound("link");
      log.info({ tenant: caller.tenant, subject: caller.subject, code, titleId }, "link deleted");
      return c.body(null, 204);
    });
}

/** The link, where it is the caller's own, or of their tenant and they are an editor. Throws 404 otherwise. */
async function found({ library }: ApiDeps, caller: Caller, code: string): Promise<LinkRecord> {
  const [link = null] = await findLinks(library, [spokenCode(code)]);
  const isTheirs =
    link?.tenant === caller.tenant && (caller.role !== "viewer" || link.ownerId === caller.subject);
  if (link === null || !isTheirs) throw notFound("link");
  return link;
}
