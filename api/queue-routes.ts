import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { createMiddleware } from "hono/factory";
import {
  countAssetsOnTheWay,
  countTasks,
  listClaimed,
  listFailedAssets,
  listWorkers,
} from "../stores/library/work-overview.ts";
import { admitted } from "./admitted.ts";
import { sayFirst } from "./answer-head.ts";
import { atLeast, ofInstallation } from "./auth.ts";
import { bearerOf, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import type { Pages } from "./pages.ts";
import { problemAnswer } from "./problem-answers.ts";
import { presentQueues, queuesView } from "./queue-view.ts";
import { sayNotCached } from "./request-guards.ts";
import { saidHeaders } from "./said-headers.ts";

const CLAIMS_SHOWN = 100;
const FAILURES_SHOWN = 20;
/** More than any installation runs. */
const WORKERS_SHOWN = 1_000;
/** The page that asks for these figures: it has none in it, and the token is the tab's own. */
const PAGE = "/studio/queues.html";

/**
 * What is to be done, read from the library, with the queue's own counts beside it. The tasks of all tenants share the
 * workers, so this is the installation's to see, like its grant keys, and no single tenant's.
 */
export function queueRoutes(deps: ApiDeps, pages: Pages) {
  const { library, limits, authenticate, countJobs } = deps;
  const toPage = createMiddleware<ApiEnv>(async (c, next) => {
    const isBrowser = /\btext\/html\b/.test(c.req.header("Accept") ?? "");
    sayNotCached(c);
    sayFirst(c, "Vary", "Accept, Authorization");
    if (!isBrowser || c.req.header("Authorization") !== undefined || !pages.has(PAGE)) return next();
    // A browser carries `#token=…` over to where it is sent (RFC 9110 §10.2.2).
    return c.redirect(PAGE, 302);
  });
  const queuesRoute = createRoute({
    tags: ["Operations"],
    security: bearerOf("admin"),
    middleware: [toPage, admitted(authenticate, limits), atLeast("admin"), ofInstallation("page")] as const,
    method: "get",
    path: "/admin/queues",
    summary: "What is to be done and who is at it; a browser gets a page that shows it",
    responses: {
      200: jsonAnswer(queuesView, "As of now, over all tenants"),
      302: {
        description: "To the page, where a browser asks without a token in its headers",
        headers: saidHeaders(["Location"]),
      },
      404: problemAnswer("It is the installation's own tenant's alone (`not_found`)"),
    },
  });
  return new OpenAPIHono<ApiEnv>().openapi(queuesRoute, async (c) => {
    const now = library.serverNow();
    const [tasks, claims, workers, assets, failedAssets, hints] = await Promise.all([
      countTasks(library, now),
      listClaimed(library, CLAIMS_SHOWN),
      listWorkers(library, WORKERS_SHOWN),
      countAssetsOnTheWay(library),
      listFailedAssets(library, FAILURES_SHOWN),
      countJobs().catch(() => null),
    ]);
    return c.json(presentQueues({ now, tasks, claims, workers, assets, failedAssets, hints }), 200);
  });
}
