import { OpenAPIHono } from "@hono/zod-openapi";
import { methodNotAllowed } from "hono/method-not-allowed";
import { notFound, requestFailure } from "../core/errors.ts";
import { admitted } from "./admitted.ts";
import { analyticsRoutes } from "./analytics-routes.ts";
import { answerHead } from "./answer-head.ts";
import { assetActionRoutes } from "./asset-action-routes.ts";
import { assetReportRoutes } from "./asset-report-routes.ts";
import { assetRoutes } from "./asset-routes.ts";
import { bodilessRoutes, withoutBody } from "./bodiless.ts";
import { catalogBrowseRoutes } from "./catalog-browse-routes.ts";
import { catalogHomeRoutes } from "./catalog-home-routes.ts";
import { catalogSearchRoutes } from "./catalog-search-routes.ts";
import { catalogTitleRoutes } from "./catalog-title-routes.ts";
import { crowdedSessionRoutes } from "./crowded-session-routes.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { edgeReportRoutes } from "./edge-report-routes.ts";
import { findingRoutes } from "./finding-routes.ts";
import { generationRoutes } from "./generation-routes.ts";
import { grantKeyRoutes } from "./grant-key-routes.ts";
import { licenseRoutes } from "./license-routes.ts";
import { linkRoutes } from "./link-routes.ts";
import { linkVisitRoutes } from "./link-visit-routes.ts";
import { observed } from "./metrics.ts";
import { describeApi } from "./openapi.ts";
import { operationRoutes } from "./operations.ts";
import { type Pages, pageRoutes } from "./pages.ts";
import { playbackRoutes } from "./playback-routes.ts";
import { posterRoutes } from "./poster-routes.ts";
import { preferenceRoutes } from "./preference-routes.ts";
import { previewDemandRoutes } from "./preview-demands.ts";
import { invalidRequest, problemResponse } from "./problem.ts";
import { publicationRoutes } from "./publication-routes.ts";
import { pullRoutes } from "./pull-routes.ts";
import { queueRoutes } from "./queue-routes.ts";
import { guarded } from "./request-guards.ts";
import { sessionRoutes } from "./session-routes.ts";
import { steeringRoutes } from "./steering-routes.ts";
import { titleRoutes } from "./title-routes.ts";
import { trackRoutes } from "./track-routes.ts";
import { uploadRoutes } from "./upload-routes.ts";
import { webhookDeliveryRoutes } from "./webhook-delivery-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

/** The whole HTTP surface. Nothing listens and nothing runs until it is served. */
export function createApp(deps: ApiDeps, pages: Pages): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });
  app.onError((thrown, c) => problemResponse(c, thrown));
  const wrongMethod = methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      c.header("Allow", methods.join(", "));
      return problemResponse(c, requestFailure(405, "method_not_allowed", `Use ${methods.join(", ")}.`));
    },
  });
  app.notFound(async (c) => {
    c.res = problemResponse(c, notFound("page"));
    // Here and not around every request: it has to do with what has no route alone.
    await wrongMethod(c, async () => undefined);
    return c.res;
  });
  app.use(observed(deps.metrics, deps.log));
  app.use(answerHead());
  let bodiless: ReadonlySet<string> = new Set();
  app.use(
    "/v1/*",
    guarded(deps.config.corsOrigins),
    admitted(deps.authenticate, deps.limits),
    withoutBody(() => bodiless),
  );
  app.route("/", uploadRoutes(deps));
  app.route("/", assetRoutes(deps));
  app.route("/", pullRoutes(deps));
  app.route("/", assetActionRoutes(deps));
  app.route("/", assetReportRoutes(deps));
  app.route("/", generationRoutes(deps));
  app.route("/", trackRoutes(deps));
  app.route("/", findingRoutes(deps));
  app.route("/", posterRoutes(deps));
  app.route("/", titleRoutes(deps));
  app.route("/", publicationRoutes(deps));
  app.route("/", catalogHomeRoutes(deps));
  app.route("/", catalogBrowseRoutes(deps));
  app.route("/", catalogTitleRoutes(deps));
  app.route("/", catalogSearchRoutes(deps));
  app.route("/", playbackRoutes(deps));
  app.route("/", preferenceRoutes(deps));
  app.route("/", licenseRoutes(deps));
  app.route("/", linkRoutes(deps));
  app.route("/", linkVisitRoutes(deps));
  app.route("/", analyticsRoutes(deps));
  app.route("/", webhookRoutes(deps));
  app.route("/", webhookDeliveryRoutes(deps));
  app.route("/", grantKeyRoutes(deps));
  app.route("/", sessionRoutes(deps));
  app.route("/", operationRoutes(deps));
  app.route("/", queueRoutes(deps, pages));
  // Between our own processes: what a viewer is shown of it is the edge's answer.
  app.route("/", previewDemandRoutes(deps));
  // Players' own, under a grant and no token.
  app.route("/", steeringRoutes(deps));
  app.route("/", edgeReportRoutes(deps));
  app.route("/", crowdedSessionRoutes(deps));
  bodiless = bodilessRoutes(app);
  const document = JSON.stringify(describeApi(app, deps.config.publicUrl));
  app.get("/openapi.json", (c) => c.body(document, 200, { "Content-Type": "application/json" }));
  app.route("/", pageRoutes(pages, deps.config));
  return app;
}
