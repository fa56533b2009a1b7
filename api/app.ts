import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { notFound, requestFailure } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { analyticsRoutes } from "./analytics-routes.ts";
import { assetRoutes } from "./asset-routes.ts";
import { authenticated } from "./auth.ts";
import { catalogRoutes } from "./catalog-routes.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { edgeReportRoutes } from "./edge-report-routes.ts";
import { findingRoutes } from "./finding-routes.ts";
import { generationRoutes } from "./generation-routes.ts";
import { grantKeyRoutes } from "./grant-key-routes.ts";
import { licenseRoutes } from "./license-routes.ts";
import { observed } from "./metrics.ts";
import { describeApi } from "./openapi.ts";
import { operationRoutes } from "./operations.ts";
import { type Pages, pageRoutes } from "./pages.ts";
import { playbackRoutes } from "./playback-routes.ts";
import { posterRoutes } from "./poster-routes.ts";
import { preferenceRoutes } from "./preference-routes.ts";
import { previewDemandRoutes } from "./preview-demands.ts";
import { invalidRequest, problemResponse } from "./problem.ts";
import { accountLimit, strangerLimit } from "./rate-limit.ts";
import { steeringRoutes } from "./steering-routes.ts";
import { titleRoutes } from "./title-routes.ts";
import { TRACK_BODY_BYTES, TRACK_PATH, trackRoutes } from "./track-routes.ts";
import { uploadRoutes } from "./upload-routes.ts";
import { webhookDeliveryRoutes } from "./webhook-delivery-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

const MAX_BODY_BYTES = 64 * 1024;

/** The whole HTTP surface. Nothing listens and nothing runs until it is served. */
export function createApp(deps: ApiDeps, pages: Pages): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });
  app.onError((thrown, c) => problemResponse(c, thrown));
  app.notFound((c) => problemResponse(c, notFound("page")));
  app.use(requestId({ generator: () => newId("rq"), limitLength: 128 }));
  app.use(observed(deps.metrics, deps.log));
  app.use(secureHeaders());
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header("Allow", methods.join(", "));
        return problemResponse(c, requestFailure(405, "method_not_allowed", `Use ${methods.join(", ")}.`));
      },
    }),
  );
  app.use("/v1/*", corsByList(deps.config.corsOrigins), jsonOnly, sizeLimit);
  app.use("/v1/*", notCached);
  app.use("/v1/*", strangerLimit(deps.limits), authenticated(deps.authenticate), accountLimit(deps.limits));
  app.route("/", uploadRoutes(deps));
  app.route("/", assetRoutes(deps));
  app.route("/", generationRoutes(deps));
  app.route("/", trackRoutes(deps));
  app.route("/", findingRoutes(deps));
  app.route("/", posterRoutes(deps));
  app.route("/", titleRoutes(deps));
  app.route("/", catalogRoutes(deps));
  app.route("/", playbackRoutes(deps));
  app.route("/", preferenceRoutes(deps));
  app.route("/", licenseRoutes(deps));
  app.route("/", analyticsRoutes(deps));
  app.route("/", webhookRoutes(deps));
  app.route("/", webhookDeliveryRoutes(deps));
  app.route("/", grantKeyRoutes(deps));
  app.route("/", operationRoutes(deps));
  // Between our own processes: what a viewer is shown of it is the edge's answer.
  app.route("/", previewDemandRoutes(deps));
  // Players' own, under a grant and no token.
  app.route("/", steeringRoutes(deps));
  app.route("/", edgeReportRoutes(deps));
  const document = JSON.stringify(describeApi(app, deps.config.publicUrl));
  app.get("/openapi.json", (c) => c.body(document, 200, { "Content-Type": "application/json" }));
  app.route("/", pageRoutes(pages, deps.config));
  return app;
}

const EXPOSED_HEADERS = [
  "ETag",
  "Location",
  "Retry-After",
  "RateLimit-Limit",
  "RateLimit-Remaining",
  "RateLimit-Reset",
  "X-Request-Id",
].join(",");

/** Exact origins only: no wildcard, no suffix, no `null` (RELIABILITY T41). Tokens travel in a header, not in cookies. */
function corsByList(origins: readonly string[]) {
  const preflight = cors({
    origin: (origin) => (origins.includes(origin) ? origin : null),
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: [
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-Match",
      "Last-Event-ID",
      "X-Request-Id",
    ],
    maxAge: 3_600,
  });
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.req.method === "OPTIONS") return preflight(c, next);
    // Said before there is an answer. Hono's own says it of one that is made, which makes each of them anew, body and all:
    // that was the larger part of a small answer's cost.
    const origin = c.req.header("Origin");
    if (origin !== undefined && origins.includes(origin)) c.header("Access-Control-Allow-Origin", origin);
    c.header("Access-Control-Expose-Headers", EXPOSED_HEADERS);
    c.header("Vary", "Origin");
    return next();
  });
}

function bodyLimitOf(maxSize: number, words: string) {
  const refuse = (): never => {
    throw requestFailure(413, "body_too_large", `A body may have at most ${words} here.`);
  };
  const counting = bodyLimit({ maxSize, onError: refuse });
  return createMiddleware<ApiEnv>(async (c, next) => {
    const said = c.req.header("Content-Length");
    if (said === undefined || c.req.header("Transfer-Encoding") !== undefined) return counting(c, next);
    // Node's parser holds a sender to that length. Counting would make a web stream of each body, which costs more than
    // all that is done with it.
    return Number(said) > maxSize ? refuse() : next();
  });
}
const usualLimit = bodyLimitOf(MAX_BODY_BYTES, "64 KiB");
const trackLimit = bodyLimitOf(TRACK_BODY_BYTES, "2 MiB");
/** Texts of subtitles are the only large bodies there are; films go to storage. */
const sizeLimit = createMiddleware<ApiEnv>((c, next) =>
  TRACK_PATH.test(c.req.path) ? trackLimit(c, next) : usualLimit(c, next),
);

/** Answers hold grants and belong to one account. */
const notCached = createMiddleware<ApiEnv>(async (c, next) => {
  c.header("Cache-Control", "private, no-store");
  await next();
});

/** A body that is not declared as JSON would pass the schemas unread. */
const jsonOnly = createMiddleware<ApiEnv>(async (c, next) => {
  const type = c.req.header("Content-Type");
  if (type !== undefined && !/^application\/json *(;|$)/i.test(type)) {
    throw requestFailure(415, "unsupported_media_type", "Send JSON as application/json.");
  }
  await next();
});
