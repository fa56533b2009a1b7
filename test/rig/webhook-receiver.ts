import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { eventually } from "./processes.ts";

/** One message as it came. */
export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  payload: { type: string; timestamp: string; data: Record<string, unknown> };
}

export interface WebhookReceiver {
  url: string;
  port: number;
  received: Received[];
  /** What is answered from now on; 204 at first. */
  answer: (message: Received, response: ServerResponse) => void;
  /** The messages of this type, once there are that many. */
  until(type: string, count?: number, withinSeconds?: number): Promise<Received[]>;
  close(): Promise<void>;
}

/** A receiver of webhooks on loopback. */
export async function openReceiver(port = 0): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const payload = JSON.parse(body);
    const message = { path: request.url ?? "", headers: request.headers, body, payload };
    received.push(message);
    receiver.answer(message, response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${bound}/hook`,
    port: bound,
    received,
    answer: (_message, response) => answerWith(204)(_message, response),
    until: (type, count = 1, withinSeconds = 120) =>
      eventually(`${count} × ${type}`, withinSeconds, () => {
        const found = received.filter(({ payload }) => payload.type === type);
        return found.length >= count ? found : null;
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}

/** Answers everything with this status. */
export function answerWith(status: number, headers: Record<string, string> = {}): WebhookReceiver["answer"] {
  return (_message, response) => response.writeHead(status, headers).end();
}

/** Reads the message as receivers do, by the specification's own library; throws where it is not what the secret's holder sent just now. */
export function verified(secret: string, { body, headers }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}
