/** What a start says while it works: one line for each thing that happens. */
export interface Report {
  /** Something begins that may take a while. */
  step(part: string, text: string): void;
  /** Something is there. */
  done(part: string, text: string): void;
  /** Something a person should know, though all goes on. */
  note(part: string, text: string): void;
  /** Why it cannot go on. */
  fail(text: string): void;
  /** Text as it is. */
  plain(text: string): void;
}

const PART_WIDTH = 12;

/** A report on `stream`, with colour where it is a terminal. */
export function openReport(stream: NodeJS.WriteStream): Report {
  const colour = (code: number, text: string) => (stream.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = (mark: string, part: string, text: string) =>
    stream.write(`  ${mark} ${part.padEnd(PART_WIDTH)} ${text}\n`);
  return {
    step: (part, text) => line(colour(36, "…"), part, text),
    done: (part, text) => line(colour(32, "✓"), part, text),
    note: (part, text) => line(colour(33, "!"), part, text),
    fail: (text) => stream.write(`  ${colour(31, "✗")} ${text}\n`),
    plain: (text) => stream.write(`${text}\n`),
  };
}
