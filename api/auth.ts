import { hash } from "node:crypto";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";
import { Failure, notFound, requestFailure } from "../core/errors.ts";
import type { Caller, Role } from "../core/records/account.ts";
import { countryCode } from "../core/regions.ts";
import { findApiKeyCallers } from "../stores/library/api-keys.ts";
import type { Library } from "../stores/library/connect.ts";
import { together } from "../stores/together.ts";
import type { ApiConfig } from "./config.ts";
import { TENANT } from "./config.ts";
import { bearerOf } from "./contract.ts";
import type { ApiEnv } from "./deps.ts";

/** Whom a bearer token stands for; null where it is no good. Throws only where that cannot be found out now. */
export type Authenticator = (token: string) => Promise<Caller | null>;

/** A known key is asked for again after this; so long may a revoked one go on. */
const KNOWN_KEY_MS = 5_000;
/** Bounds the memory of remembered keys, and so what a flood of made-up tokens can take. */
const REMEMBERED_KEYS = 5_000;
const ROLE_RANK: Record<Role, number> = { viewer: 0, editor: 1, admin: 2 };

/** API keys (`mk_…`, looked up by their hash) and, where configured, JWT access tokens. */
export function openAuthenticator(library: Library, jwt: ApiConfig["jwt"]): Authenticator {
  const byKey = rememberedKeys(library);
  const byJwt = jwt === null ? null : jwtAuthenticator(jwt);
  return async (token) => {
    if (token.startsWith("mk_")) return byKey(token);
    return byJwt === null ? null : byJwt(token);
  };
}

function rememberedKeys(library: Library): Authenticator {
  const known = new Map<string, { caller: Caller; until: number }>();
  const find = together((hashes: readonly string[]) => findApiKeyCallers(library, hashes));
  return async (token) => {
    const sha256 = hash("sha256", token);
    const remembered = known.get(sha256);
    if (remembered !== undefined && remembered.until > performance.now()) return remembered.caller;
    known.delete(sha256);
    const caller = await find(sha256);
    if (caller === null) return null;
    if (known.size >= REMEMBERED_KEYS) known.clear();
    known.set(sha256, { caller, until: performance.now() + KNOWN_KEY_MS });
    return caller;
  };
}

/** Signature algorithms we take: never `none`, never a shared secret (RELIABILITY T28). */
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

function jwtAuthenticator(jwt: NonNullable<ApiConfig["jwt"]>): Authenticator {
  const keys = createRemoteJWKSet(new URL(jwt.jwksUrl), { timeoutDuration: 3_000, cooldownDuration: 10_000 });
  const rules = {
    issuer: jwt.issuer,
    audience: jwt.audience,
    algorithms: ALGORITHMS,
    requiredClaims: ["exp", "sub"],
    clockTolerance: 60,
  };
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, rules);
      return callerOfClaims(payload);
    } catch (thrown) {
      if (thrown instanceof errors.JWKSTimeout || !(thrown instanceof errors.JOSEError)) {
        const options = { cause: thrown, retryAfterSeconds: 2 };
        throw new Failure("transient", "keys_unavailable", "Tokens cannot be checked right now.", options);
      }
      return null;
    }
  };
}

/** `tenant` (`default` where absent), `country`, and `role`, or the highest of `roles`; null where there is none that we know. */
export function callerOfClaims(claims: JWTPayload): Caller | null {
  const tenant = claims.tenant ?? "default";
  if (typeof tenant !== "string" || !TENANT.test(tenant)) return null;
  if (typeof claims.sub !== "string" || claims.sub === "" || claims.sub.length > 200) return null;
  const claimed = [claims.role, claims.roles].flat();
  const [role] = (["admin", "editor", "viewer"] as const).filter((known) => claimed.includes(known));
  if (role === undefined) return null;
  const country = countryCode(typeof claims.country === "string" ? claims.country : null);
  return { tenant, subject: claims.sub, role, ...(country === null ? {} : { country }) };
}

/** Whose bearer token the request shows; null where it shows none that is good. */
export async function callerOf(c: Context<ApiEnv>, authenticate: Authenticator): Promise<Caller | null> {
  // RFC 6750 §2.1: "Authorization: Bearer" b64token; the scheme's name is case-insensitive (RFC 9110 §11.1).
  const token = /^Bearer +([A-Za-z0-9._~+/-]{1,4096}=*)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
  return token === undefined ? null : authenticate(token);
}

/** Lets accounts of this role and above through. */
export function atLeast(role: Role) {
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (ROLE_RANK[c.get("caller").role] < ROLE_RANK[role]) {
      throw requestFailure(403, "forbidden", `This needs the role ${role}.`);
    }
    return next();
  });
}

/** Of a route for accounts of this role and above: what lets them through, and what is said of it. */
export function forRole(role: Role) {
  return { security: bearerOf(role), middleware: atLeast(role) };
}

/** What is the installation's and not one tenant's: to the administrators of others there is none. */
const INSTALLATION_TENANT = "default";

/** Lets accounts of the installation's own tenant through; to others there is no such `what`. */
export function ofInstallation(what: string) {
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.get("caller").tenant !== INSTALLATION_TENANT) throw notFound(what);
    await next();
  });
}
