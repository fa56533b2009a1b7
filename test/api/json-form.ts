/** As much of JSON Schema (2020-12) as the served document is written in. */
export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  anyOf?: Schema[];
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | false;
}
type Schemas = Record<string, Schema>;

/**
 * How a value is another than its schema says, each with its path. Sterner than JSON Schema: a member that the schema does not name is a
 * fault, and a time is in UTC.
 */
export function formFaults(schema: Schema, value: unknown, schemas: Schemas, at = "$"): string[] {
  const { anyOf, ...form } = resolved(schema, schemas);
  if (anyOf !== undefined) {
    const tried = anyOf.map((one) => formFaults(one, value, schemas, at));
    return tried.some((faults) => faults.length === 0) ? [] : (tried[0] ?? []);
  }
  const types = form.type === undefined ? null : [form.type].flat();
  if (types !== null && !types.some((type) => isOfType(type, value)))
    return [`${at} is ${JSON.stringify(value)?.slice(0, 60)} and not ${types.join(" or ")}`];
  if (form.enum !== undefined && !form.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}`];
  if (typeof value === "string")
    return isOfFormat(form.format, value) ? [] : [`${at} is no ${form.format}: ${value}`];
  if (typeof value === "number") return isWithin(form, value) ? [] : [`${at} is ${value}`];
  if (Array.isArray(value))
    return value.flatMap((one, index) => formFaults(form.items ?? {}, one, schemas, `${at}[${index}]`));
  return typeof value === "object" && value !== null ? memberFaults(form, { ...value }, schemas, at) : [];
}

function memberFaults(form: Schema, value: Record<string, unknown>, schemas: Schemas, at: string): string[] {
  // Of what nothing is said anything goes.
  if (form.properties === undefined && form.additionalProperties === undefined) return [];
  const missing = (form.required ?? []).filter((name) => value[name] === undefined);
  const said = Object.entries(value).flatMap(([name, member]) => {
    const schema = form.properties?.[name] ?? form.additionalProperties;
    return schema ? formFaults(schema, member, schemas, `${at}.${name}`) : [`${at}.${name} is not described`];
  });
  return [...missing.map((name) => `${at}.${name} is missing`), ...said];
}

/** What it stands for: what it refers to, and of several at once all that they say. */
export function resolved(schema: Schema, schemas: Schemas): Schema {
  const { $ref, allOf, ...own } = schema;
  if ($ref !== undefined) return resolved(schemas[$ref.slice($ref.lastIndexOf("/") + 1)] ?? {}, schemas);
  const parts = [own, ...(allOf ?? []).map((one) => resolved(one, schemas))];
  if (parts.length === 1) return own;
  return {
    type: "object",
    properties: Object.fromEntries(parts.flatMap(({ properties }) => Object.entries(properties ?? {}))),
    required: parts.flatMap(({ required }) => required ?? []),
  };
}

function isOfType(type: string, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function isOfFormat(format: string | undefined, value: string): boolean {
  if (format === "date-time") return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);
  return format !== "date" || /^\d{4}-\d\d-\d\d$/.test(value);
}

function isWithin({ minimum, maximum }: Schema, value: number): boolean {
  return value >= (minimum ?? value) && value <= (maximum ?? value);
}
