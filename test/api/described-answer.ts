import assert from "node:assert/strict";
import { formFaults, type Schema } from "./json-form.ts";

/** The served document as far as answers are held to it. */
export interface ApiDocument {
  paths: Record<string, Record<string, DescribedCall>>;
  components: { schemas: Record<string, Schema> };
}
export interface DescribedCall {
  security?: { bearer: string[] }[];
  parameters?: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, DescribedAnswer | undefined>;
}
interface DescribedAnswer {
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: Schema }>;
}

/** What our own code says at the head of an answer; the others are said of every one alike. */
const OWN_HEADERS = [
  ...["ETag", "Location", "WWW-Authenticate", "Retry-After", "X-Request-Id"],
  ...["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"],
];
/** Where these are said of a refusal too, it is by what went before it. */
const BUDGET = /^ratelimit-/i;

/** Throws where an answer is another than the document says: its status, its type, a header, a member that is missing, unnamed or of another form. */
export async function assertDescribed(document: ApiDocument, method: string, path: string, answer: Response) {
  const call = describedCall(document, method, path);
  if (call === null) return;
  const what = `${method} ${path} ${answer.status}`;
  const described = call.responses[answer.status];
  assert.ok(described, `${what} is not described`);
  const unsaid = OWN_HEADERS.filter(
    (name) =>
      answer.headers.has(name) &&
      described.headers?.[name] === undefined &&
      !(BUDGET.test(name) && answer.status >= 400),
  );
  assert.deepEqual(unsaid, [], `${what} says headers that are not described`);
  const type = answer.headers.get("Content-Type")?.split(";")[0] ?? "";
  const schema = described.content?.[type]?.schema;
  if (described.content === undefined) return assert.equal(answer.body, null, `${what} has a body`);
  assert.ok(schema, `${what} is ${type}, which is not described`);
  if (!type.endsWith("json")) return;
  const body: unknown = await answer.clone().json();
  assert.deepEqual(formFaults(schema, body, document.components.schemas), [], what);
}

/** The call that a path of a request is of; null where there is none. */
export function describedCall(document: ApiDocument, method: string, path: string): DescribedCall | null {
  const [at = ""] = path.split("?");
  const fits = Object.keys(document.paths)
    .filter((one) => new RegExp(`^${one.replace(/\{\w+\}/g, "[^/]+").replaceAll(".", "\\.")}$`).test(at))
    // `/a/b` before `/a/{id}`.
    .sort((a, b) => a.split("{").length - b.split("{").length);
  return document.paths[fits[0] ?? ""]?.[method.toLowerCase()] ?? null;
}
