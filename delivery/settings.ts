/** Reads one environment, collecting what is wrong with it. */
export class Settings {
  readonly #env: Record<string, string | undefined>;
  readonly #faults: string[];

  constructor(env: Record<string, string | undefined>, faults: string[]) {
    this.#env = env;
    this.#faults = faults;
  }

  text(name: string, fallback?: string): string {
    const value = this.#env[name]?.trim() || fallback;
    if (value === undefined) this.#faults.push(`${name} is missing`);
    return value ?? "";
  }

  /** `otherwise` only goes with a fault. */
  parsed<T>(name: string, parse: (value: string) => T, otherwise: T, fallback?: string): T {
    const value = this.text(name, fallback);
    return value === "" ? otherwise : this.#checked(name, value, parse, otherwise);
  }

  /** `otherwise` where the setting is absent. */
  optional<T>(name: string, parse: (value: string) => T, otherwise: T): T {
    const value = this.#env[name]?.trim();
    return value ? this.#checked(name, value, parse, otherwise) : otherwise;
  }

  whole(name: string, fallback: number, lowest: number, highest = Number.MAX_SAFE_INTEGER): number {
    return this.parsed(name, wholeBetween(lowest, highest), fallback, String(fallback));
  }

  url(name: string): string {
    return this.parsed(name, httpUrl, "");
  }

  /** An http(s) URL without a slash at its end; null where the setting is absent. */
  optionalUrl(name: string): string | null {
    return this.optional(name, httpUrl, "").replace(/\/+$/, "") || null;
  }

  /** In small letters; null where the setting is absent. */
  headerName(name: string): string | null {
    return this.optional(name, (value) => fieldName(value.toLowerCase()), null);
  }

  /** Both PEM files or neither; null: neither. */
  tls(): { certFile: string; keyFile: string } | null {
    const certFile = this.#env.MATINEE_TLS_CERT_FILE?.trim();
    const keyFile = this.#env.MATINEE_TLS_KEY_FILE?.trim();
    if (!certFile !== !keyFile)
      this.#faults.push("MATINEE_TLS_CERT_FILE and MATINEE_TLS_KEY_FILE go together");
    return certFile && keyFile ? { certFile, keyFile } : null;
  }

  #checked<T>(name: string, value: string, parse: (value: string) => T, otherwise: T): T {
    try {
      return parse(value);
    } catch (thrown) {
      this.#faults.push(`${name}: ${thrown instanceof Error ? thrown.message : "is not valid"}`);
      return otherwise;
    }
  }
}

function wholeBetween(lowest: number, highest: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^[0-9]+$/.test(value) || number < lowest || number > highest) {
      throw new Error(`is not a whole number from ${lowest} to ${highest}`);
    }
    return number;
  };
}

function fieldName(value: string): string {
  if (!/^[a-z0-9-]+$/.test(value)) throw new Error("is not the name of a header");
  return value;
}

function httpUrl(value: string): string {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error("is not an http(s) URL");
  return value;
}
