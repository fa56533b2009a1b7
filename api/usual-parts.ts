import { RATE_HEADERS, type SaidHeader, saidHeaders } from "./said-headers.ts";

/** What holds for every call and would only be noise in each route. */

interface Answer {
  description: string;
  content?: unknown;
  headers?: Record<string, unknown>;
}
/** As much of an operation of the document as is added to. */
export interface Operation {
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string }[];
  requestBody?: unknown;
  responses: Record<string, Answer>;
  "x-idempotency-key"?: true;
  "x-accept-language"?: true;
}

/** What their own callers ask without a token is not held up: these say all of their answers themselves. */
const BY_THEMSELVES = ["Operations", "Steering"];

/** Says of an operation what it shares with others: how it fails, what is said at the head of it and of its answers. */
export function addUsualParts(operation: Operation, path: string, method: string): void {
  const isOpen = operation.security === undefined;
  if (!isOpen || !BY_THEMSELVES.includes(operation.tags?.[0] ?? "")) addFailures(operation, path, method);
  addParameters(operation, path, method);
  for (const [status, answer] of Object.entries(operation.responses))
    answer.headers = { ...answer.headers, ...saidHeaders(usualHeaders(status, isOpen)) };
}

function addFailures(operation: Operation, path: string, method: string): void {
  const reasons: Record<string, string> = {
    ...(operation.security === undefined
      ? {}
      : {
          401: "No valid token (`unauthenticated`)",
          403: "The role does not allow it (`forbidden`)",
        }),
    429: "Too many requests (`rate_limited`)",
    500: "A fault of ours (`internal`)",
    503: "A part we stand on is away; the same again does it",
  };
  if (operation.parameters !== undefined || method !== "get")
    reasons[400] = "The request is not valid (`invalid_request`): what and where, in `errors`";
  if (path.includes("{")) reasons[404] = "There is no such thing, or it is not yours (`not_found`)";
  if (method !== "get") {
    reasons[409] = "It is not in a state for this";
    reasons[413] = "The body exceeds 64 KiB (`body_too_large`)";
    reasons[415] = "The body is not declared as application/json (`unsupported_media_type`)";
  }
  if (method === "patch") reasons[412] = "It was changed meanwhile (`version_conflict`)";
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  for (const [status, description] of Object.entries(reasons))
    operation.responses[status] ??= { description, content };
}

function addParameters(operation: Operation, path: string, method: string): void {
  if (operation["x-idempotency-key"]) {
    delete operation["x-idempotency-key"];
    addHeader(operation, "Idempotency-Key", "Same key and body, same answer");
    const conflict = operation.responses[409];
    if (conflict !== undefined)
      conflict.description += "; or the Idempotency-Key came with another body (`idempotency_conflict`)";
  }
  if (operation["x-accept-language"]) {
    delete operation["x-accept-language"];
    addHeader(operation, "Accept-Language", "In which languages names and texts are wanted");
  }
  if (method === "patch")
    addHeader(operation, "If-Match", "The ETag that was read", operation.responses[428] !== undefined);
  if (path.endsWith("/events")) addHeader(operation, "Last-Event-ID", "The last event that was seen");
  addHeader(operation, "X-Request-Id", "Names the request, in the answer and in our log");
}

function addHeader(operation: Operation, name: string, description: string, required = false): void {
  const header = { name, in: "header", required, description, schema: { type: "string" } };
  operation.parameters = [...(operation.parameters ?? []), header];
}

function usualHeaders(status: string, isOpen: boolean): SaidHeader[] {
  const said: SaidHeader[] = ["X-Request-Id"];
  if (status === "401") said.push("WWW-Authenticate");
  if (status === "429" || (status.startsWith("2") && !isOpen)) said.push(...RATE_HEADERS);
  if (status === "429" || status === "503") said.push("Retry-After");
  return said;
}
