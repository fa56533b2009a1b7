import { type Edge, parseEdges } from "../core/edges.ts";

/** How JWT access tokens are checked. */
export interface JwtSettings {
  jwksUrl: string;
  issuer: string;
  audience: string;
}

/** Reads one environment, collecting what is wrong with it. */
export class Settings {
  readonly #env: Record<string, string | undefined>;
  readonly #faults: string[];

  constructor(env: Record<string, string | undefined>, faults: string[]) {
    this.#env = env;
    this.#faults = faults;
  }

  text(name: string, fallback?: string): string {
    const value = this.#env[name] || fallback;
    if (value === undefined) this.#faults.push(`${name} is missing`);
    return value ?? "";
  }

  whole(name: string, fallback: number, min: number, max: number): number {
    const value = Number(this.#env[name] || fallback);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    this.#faults.push(`${name} is not a whole number from ${min} to ${max}`);
    return fallback;
  }

  url(name: string): string {
    const value = this.optionalUrl(name);
    if (value === null && !this.#env[name]) this.#faults.push(`${name} is missing`);
    return value ?? "";
  }

  /** An http(s) URL without a slash at its end; null where the setting is absent. */
  optionalUrl(name: string): string | null {
    const value = this.#env[name];
    if (!value) return null;
    if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value.replace(/\/+$/, "");
    this.#faults.push(`${name} is not an http(s) URL`);
    return null;
  }

  /** Several, or the one of an installation that has no more. */
  edges(): Edge[] {
    if (this.#env.MATINEE_DELIVERY_URLS) return this.parsed("MATINEE_DELIVERY_URLS", parseEdges) ?? [];
    const url = this.url("MATINEE_DELIVERY_URL");
    return url === "" ? [] : (this.parsed("MATINEE_DELIVERY_URL", parseEdges) ?? []);
  }

  /** null where the setting is absent. */
  headerName(name: string): string | null {
    const value = this.#env[name];
    if (!value) return null;
    if (!/^[A-Za-z0-9-]{1,100}$/.test(value)) this.#faults.push(`${name} is not the name of a header`);
    return value;
  }

  list(name: string): string[] {
    return (this.#env[name] ?? "")
      .split(",")
      .map((entry) => entry.trim().replace(/\/$/, ""))
      .filter((entry) => entry !== "");
  }

  parsed<T>(name: string, parse: (text: string) => T, fallback?: string): T | null {
    const text = this.text(name, fallback);
    if (text === "") return null;
    try {
      return parse(text);
    } catch (thrown) {
      // A JSON parser quotes its input, and the input may hold a secret.
      const why = thrown instanceof SyntaxError ? "not JSON" : (thrown as Error).message;
      this.#faults.push(`${name}: ${why}`);
      return null;
    }
  }

  /** All three or none: a token whose issuer or audience nobody checks is not a token. */
  jwt(): JwtSettings | null {
    if (!this.#env.MATINEE_JWKS_URL) return null;
    return {
      jwksUrl: this.url("MATINEE_JWKS_URL"),
      issuer: this.text("MATINEE_JWT_ISSUER"),
      audience: this.text("MATINEE_JWT_AUDIENCE"),
    };
  }
}
