/** Reads one environment, collecting what is wrong with it. */
export class Settings {
  readonly #environment: Record<string, string | undefined>;
  readonly #problems: string[];

  constructor(environment: Record<string, string | undefined>, problems: string[]) {
    this.#environment = environment;
    this.#problems = problems;
  }

  text(name: string, otherwise?: string): string {
    const value = this.#environment[name] ?? otherwise;
    if (value === undefined || value === "") this.#problems.push(`${name} is not set`);
    return value ?? "";
  }

  count(name: string, otherwise: number, least: number): number {
    const value = Number(this.#environment[name] ?? otherwise);
    if (!Number.isSafeInteger(value) || value < least)
      this.#problems.push(`${name} must be a whole number of at least ${least}`);
    return value;
  }

  /** LUFS; null where it says `off`. */
  loudness(name: string, otherwise: number | null): number | null {
    const value = this.#environment[name] ?? String(otherwise);
    if (value === "off") return null;
    if (!(Number(value) >= -31 && Number(value) <= -10))
      this.#problems.push(`${name} must be off or a number from -31 to -10`);
    return Number(value);
  }

  /** The first word where it says none. */
  oneOf(name: string, words: readonly [string, ...string[]]): string {
    const value = this.#environment[name] || words[0];
    if (!words.includes(value)) this.#problems.push(`${name} must be ${words.join(" or ")}`);
    return value;
  }

  /** None where the setting is absent. What `parse` throws is shown: it must not quote a secret. */
  list<T>(name: string, parse: (text: string) => T[]): T[] {
    const text = this.#environment[name];
    try {
      return text ? parse(text) : [];
    } catch (thrown) {
      this.#problems.push(`${name}: ${(thrown as Error).message}`);
      return [];
    }
  }
}
