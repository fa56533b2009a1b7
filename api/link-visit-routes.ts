import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { titleStateAt } from "../core/availability.ts";
import { notFound, requestFailure } from "../core/errors.ts";
import { isAliasForm, isDrawnCode, spokenCode } from "../core/link-code.ts";
import { isCounted, playerPlace } from "../core/link-visit.ts";
import type { LinkRecord } from "../core/records/link.ts";
import { countHits, findLinks } from "../stores/library/links.ts";
import { together } from "../stores/together.ts";
import { IN_LANGUAGE } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { linkProblemPage } from "./link-page.ts";
import { codeParams } from "./link-routes.ts";
import { problemResponse } from "./problem.ts";
import { problemAnswer } from "./problem-answers.ts";
import { refuseGuesser, spendGuess } from "./rate-limit.ts";
import { saidHeaders } from "./said-headers.ts";

/** What is wrong, which browsers are shown as a page. */
function orPage(description: string) {
  const { content } = problemAnswer(description);
  return { description, content: { ...content, "text/html": { schema: z.string() } } };
}

const visitRoute = createRoute({
  ...IN_LANGUAGE,
  tags: ["Share links"],
  method: "get",
  path: "/l/{code}",
  summary: "Follow a link to the player's page",
  request: { params: codeParams },
  responses: {
    302: {
      description: "To the player, with the title and from where it plays; nothing else goes along",
      headers: saidHeaders(["Location"]),
    },
    400: orPage("No link is as long (`invalid_request`)"),
    404: orPage("There is no such link, or its title is not shown now (`not_found`)"),
    410: orPage("The link is over (`link_expired`)"),
    429: orPage("Too many words were tried (`rate_limited`)"),
    500: orPage("A fault of ours (`internal`)"),
    503: orPage("A part we stand on is away; the same again does it"),
  },
});

/**
 * Following a link needs no token: it says no more than which title is meant, and the player's page asks who is there. It
 * leads to that page alone, whatever the link says.
 */
export function linkVisitRoutes(deps: ApiDeps) {
  const { library, desk, limits, config, log } = deps;
  // A crowd that follows one link at once shares its calls.
  const find = together((codes: readonly string[]) => findLinks(library, codes));
  const count = together(async (codes: readonly string[]) => {
    await countHits(library, codes);
    return codes.map(() => true);
  });
  const opened = async (text: string, address: string): Promise<LinkRecord> => {
    const code = spokenCode(text);
    // Only words can be guessed: a drawn code costs no budget, nor is it held up by what others behind the same address spent.
    const isGuessable = !isDrawnCode(code);
    if (isGuessable && !isAliasForm(code)) throw notFound("link");
    if (isGuessable) await refuseGuesser(limits, address);
    const link = await find(code);
    if (link !== null) return link;
    if (isGuessable) await spendGuess(limits, address, code);
    throw notFound("link");
  };
  const routes = new OpenAPIHono<ApiEnv>().openapi(visitRoute, async (c) => {
    c.header("Cache-Control", "no-store");
    const address = c.env?.incoming?.socket?.remoteAddress ?? "unknown";
    const link = await opened(c.req.valid("param").code, address);
    const now = library.serverNow();
    if (link.expiresAt !== null && link.expiresAt <= now)
      throw requestFailure(410, "link_expired", "This link is over.");
    const title = await desk.title({ tenant: link.tenant, id: link.titleId });
    // Not 410, which is for ever: what is taken down may come back. In which countries it is shown, the player is told.
    if (title === null || titleStateAt(title, now) !== "published") throw notFound("link");
    // Before the answer, so that whoever was sent on is counted, also where this process is killed the next moment.
    if (isCounted(visitOf(c)))
      await count(link._id).catch((thrown) => log.warn({ err: thrown, code: link._id }, "hit not counted"));
    return c.redirect(
      playerPlace(config.playerUrl, link, title.type === "movie" || title.type === "episode"),
      302,
    );
  });
  routes.onError((thrown, c) => {
    const answer = problemResponse(c, thrown);
    return linkProblemPage(c, answer, config.playerUrl) ?? answer;
  });
  return routes;
}

function visitOf(c: Context<ApiEnv>) {
  const purpose = c.req.header("Sec-Purpose") ?? c.req.header("Purpose");
  return { method: c.req.method, userAgent: c.req.header("User-Agent"), purpose };
}
