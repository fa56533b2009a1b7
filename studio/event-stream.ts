/** Server-sent events over fetch: EventSource cannot send an Authorization header. */

export interface StreamEvent {
  event: string;
  data: string;
  /** The last event id the stream has named, for Last-Event-ID. */
  id: string;
}

/**
 * Takes text in pieces cut anywhere and gives the events they complete.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventStreamParser {
  #rest = "";
  #isFirst = true;
  #event = "";
  #data: string[] = [];
  #id = "";

  push(text: string): StreamEvent[] {
    this.#rest += text;
    // "one leading U+FEFF BYTE ORDER MARK character must be ignored if any are present"
    if (this.#isFirst && this.#rest !== "") {
      if (this.#rest.startsWith("\uFEFF")) this.#rest = this.#rest.slice(1);
      this.#isFirst = false;
    }
    const events: StreamEvent[] = [];
    for (let line = this.#takeLine(); line !== null; line = this.#takeLine()) {
      const event = this.#readLine(line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  /** Lines end by CRLF, LF or CR; a CR at the very end may yet become a CRLF. */
  #takeLine(): string | null {
    const end = this.#rest.search(/[\r\n]/);
    if (end === -1) return null;
    const isCr = this.#rest[end] === "\r";
    if (isCr && end === this.#rest.length - 1) return null;
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + (isCr && this.#rest[end + 1] === "\n" ? 2 : 1));
    return line;
  }

  #readLine(line: string): StreamEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    // "If the field value does not contain U+0000 NULL, then set the last event ID buffer"
    if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): StreamEvent | null {
    const event = this.#event === "" ? "message" : this.#event;
    const hasData = this.#data.length > 0;
    const data = this.#data.join("\n");
    this.#event = "";
    this.#data = [];
    return hasData ? { event, data, id: this.#id } : null;
  }
}

/** The events of a response body, until it ends or breaks (then it throws what fetch throws). */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
