/**
 * Typed settings out of one record of strings, as an environment is. A setting that is empty counts as absent, since files
 * of settings name those that nobody filled in. What is wrong is collected, and told all at once; never a value, which may be a secret.
 */
export class Settings {
  readonly #record: Record<string, string | undefined>;
  readonly #faults: string[] = [];

  constructor(record: Record<string, string | undefined>) {
    this.#record = record;
  }

  /** Throws one Error that names every fault there was; `whose` settings they are stands in it. */
  refuseFaults(whose: string): void {
    if (this.#faults.length > 0)
      throw new Error(`The settings of ${whose} are not right:\n- ${this.#faults.join("\n- ")}`);
  }

  /** Trimmed; null where the setting is absent. */
  given(name: string): string | null {
    return this.#record[name]?.trim() || null;
  }

  text(name: string, fallback?: string): string {
    return this.parsed(name, (value) => value, "", fallback);
  }

  /** What `parse` makes of it; its message must not quote a secret. `otherwise` only goes with a fault. */
  parsed<T>(name: string, parse: (value: string) => T, otherwise: T, fallback?: string): T {
    const value = this.given(name) ?? fallback;
    if (value !== undefined) return this.#checked(name, value, parse, otherwise);
    this.#faults.push(`${name} is missing`);
    return otherwise;
  }

  /** The same, and `otherwise` where the setting is absent. */
  optional<T>(name: string, parse: (value: string) => T, otherwise: T): T {
    const value = this.given(name);
    return value === null ? otherwise : this.#checked(name, value, parse, otherwise);
  }

  whole(name: string, fallback: number, lowest: number, highest = Number.MAX_SAFE_INTEGER): number {
    return this.parsed(name, wholeBetween(lowest, highest), fallback, String(fallback));
  }

  /** The first word where it says none. */
  oneOf<Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
    return this.optional(name, (value) => wordAmong(words, value), words[0]);
  }

  /** An http(s) URL without slashes at its end: what paths are put behind. */
  url(name: string): string {
    return this.parsed(name, baseUrl, "");
  }

  /** The same; null where the setting is absent. */
  optionalUrl(name: string): string | null {
    return this.optional<string | null>(name, baseUrl, null);
  }

  /** The http(s) URL of one page, to the letter; null where the setting is absent. `/watch` and `/watch/` are two pages. */
  pageUrl(name: string): string | null {
    return this.optional<string | null>(name, pageUrl, null);
  }

  /** In small letters; null where the setting is absent. */
  headerName(name: string): string | null {
    return this.optional<string | null>(name, headerName, null);
  }

  /** Two settings of which none makes sense alone; null: neither is there. */
  pair(first: string, second: string, parse: (value: string) => string): [string, string] | null {
    const [one, other] = [first, second].map((name) => this.optional<string | null>(name, parse, null));
    if (!this.given(first) !== !this.given(second)) this.#faults.push(`${first} and ${second} go together`);
    return one && other ? [one, other] : null;
  }

  /** Which of two settings is given. Both are a fault, neither too; the first one then. */
  either(first: string, second: string): string {
    const [one, other] = [first, second].filter((name) => this.given(name) !== null);
    if (one === undefined) this.#faults.push(`${first} is missing, and so is ${second}`);
    if (other !== undefined) this.#faults.push(`${first} and ${second} exclude each other`);
    return one ?? first;
  }

  #checked<T>(name: string, value: string, parse: (value: string) => T, otherwise: T): T {
    try {
      return parse(value);
    } catch (thrown) {
      // A JSON parser quotes its input, and the input may hold a secret.
      const why = thrown instanceof SyntaxError ? "is not JSON" : (thrown as Error).message;
      this.#faults.push(`${name}: ${why}`);
      return otherwise;
    }
  }
}

function wholeBetween(lowest: number, highest: number): (value: string) => number {
  const range =
    highest === Number.MAX_SAFE_INTEGER ? `of at least ${lowest}` : `from ${lowest} to ${highest}`;
  return (value) => {
    const number = Number(value);
    if (!/^[0-9]+$/.test(value) || number < lowest || number > highest)
      throw new Error(`is not a whole number ${range}`);
    return number;
  };
}

function wordAmong<Word extends string>(words: readonly Word[], value: string): Word {
  const word = words.find((one) => one === value);
  if (word === undefined) throw new Error(`is none of ${words.join(", ")}`);
  return word;
}

function httpUrl(value: string): URL {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error("is not an http(s) URL");
  return url;
}

function baseUrl(value: string): string {
  httpUrl(value);
  return value.replace(/\/+$/, "");
}

function pageUrl(value: string): string {
  httpUrl(value);
  if (value.includes("#")) throw new Error("has a #, behind which we put what is to be shown");
  return value;
}

function headerName(value: string): string {
  if (!/^[A-Za-z0-9-]{1,100}$/.test(value)) throw new Error("is not the name of a header");
  return value.toLowerCase();
}
