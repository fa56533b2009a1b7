import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import type { TitleState } from "../../core/records/title.ts";
import { mendedOutbox } from "../../core/schedule-events.ts";
import { makeSigningSecret, secretText, webhookHeaders } from "../../core/standard-webhooks.ts";
import { isDue, newEvent, outboxOf, titleOutbox } from "../../core/webhook-event.ts";
import { isGivenUp, retryDelaySeconds, verdictOf } from "../../core/webhook-retries.ts";
import { openSecrets, rotated, sealedAnew, sealSigningSecret } from "../../core/webhook-secrets.ts";

const now = new Date("2030-01-01T12:00:00.000Z");
const after = (seconds: number) => new Date(now.getTime() + seconds * 1_000);

describe("a message", () => {
  test("is signed so that the specification's own library takes it, whatever is in it", () => {
    fc.assert(
      fc.property(fc.json(), (body) => {
        const secret = makeSigningSecret();
        const headers = webhookHeaders([secret], { id: "ev_1", at: new Date(), body });
        assert.deepEqual(new Webhook(secretText(secret)).verify(body, headers), JSON.parse(body));
      }),
      { numRuns: 50 },
    );
  });

  test("is refused once it is old, changed, of another id or by another's secret", () => {
    const secret = makeSigningSecret();
    const receiver = new Webhook(secretText(secret));
    const body = '{"type":"asset.ready"}';
    const sent = (at: Date) => webhookHeaders([secret], { id: "ev_1", at, body });
    const fresh = sent(new Date());
    receiver.verify(body, fresh);
    const sixMinutes = 360_000;
    assert.throws(() => receiver.verify(body, sent(new Date(Date.now() - sixMinutes))), /too old/);
    assert.throws(() => receiver.verify(body, sent(new Date(Date.now() + sixMinutes))), /too new/);
    assert.throws(() => receiver.verify(`${body} `, fresh), /signature/);
    assert.throws(() => receiver.verify(body, { ...fresh, "webhook-id": "ev_2" }), /signature/);
    const later = String(Number(fresh["webhook-timestamp"]) + 1);
    assert.throws(() => receiver.verify(body, { ...fresh, "webhook-timestamp": later }), /signature/);
    assert.throws(() => new Webhook(secretText(makeSigningSecret())).verify(body, fresh), /signature/);
  });
});

describe("a secret", () => {
  const key = (kid: string, byte: number) => ({ kid, secret: new Uint8Array(32).fill(byte) });
  const [old, present] = [key("old", 1), key("now", 2)];
  const first = makeSigningSecret();
  const webhook = {
    _id: "wh_1",
    secrets: [{ sealed: sealSigningSecret(old, first, "wh_1"), until: null }],
  };
  const hex = (secrets: Uint8Array[] | null) => secrets?.map((secret) => Buffer.from(secret).toString("hex"));

  test("lies sealed, for its endpoint alone, and moves to the master key of the day", () => {
    const { sealed } = webhook.secrets[0]!;
    assert.ok(!sealed.includes(Buffer.from(first).toString("base64url")));
    assert.deepEqual(hex(openSecrets([present, old], webhook, now)), hex([first]));
    assert.equal(openSecrets([present], webhook, now), null);
    assert.equal(openSecrets([old], { ...webhook, _id: "wh_2" }, now), null);
    const secrets = sealedAnew([present, old], webhook, now)!;
    assert.deepEqual(hex(openSecrets([present], { ...webhook, secrets }, now)), hex([first]));
    assert.equal(sealedAnew([present], { ...webhook, secrets }, now), null);
  });

  test("that is replaced signs beside the new one for a day, and no longer", () => {
    const second = makeSigningSecret();
    const secrets = rotated(webhook.secrets, sealSigningSecret(old, second, "wh_1"), now);
    const at = (moment: Date) => hex(openSecrets([old], { _id: "wh_1", secrets }, moment));
    assert.deepEqual(at(now), hex([second, first]));
    assert.deepEqual(at(after(86_399)), hex([second, first]));
    assert.deepEqual(at(after(86_400)), hex([second]));
    assert.equal(sealedAnew([old], { _id: "wh_1", secrets }, after(86_399)), null);
    const over = sealedAnew([old], { _id: "wh_1", secrets }, after(86_400))!;
    assert.deepEqual(
      hex(openSecrets([old], { _id: "wh_1", secrets: over }, now)),
      hex([second]),
      "it is gone",
    );
    const body = "{}";
    const headers = webhookHeaders([second, first], { id: "ev_1", at: new Date(), body });
    for (const secret of [first, second]) new Webhook(secretText(secret)).verify(body, headers);
    let many = webhook.secrets as { sealed: string; until: Date | null }[];
    for (let times = 0; times < 9; times++) many = rotated(many, `old.${times}`, now);
    assert.deepEqual(
      many.map(({ sealed }) => sealed),
      ["old.8", "old.7", "old.6", "old.5"],
    );
  });
});

describe("an attempt", () => {
  test("is followed by others, further and further apart, for about a day", () => {
    const waits: number[] = [];
    for (let failures = 1; ; failures++) {
      const wait = retryDelaySeconds(failures, 0.5);
      if (wait === null) break;
      waits.push(wait);
    }
    assert.deepEqual(waits, [5, 20, 80, 320, 1_280, 5_120, 20_480, 28_800, 28_800]);
    const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600;
    assert.ok(hours > 20 && hours < 26, String(hours));
    assert.deepEqual(
      [0, 1].map((random) => Math.round(retryDelaySeconds(3, random)!)),
      [64, 96],
    );
  });

  test("counts by its status", () => {
    const table = [
      [204, null, "delivered"],
      [500, "status", "failed"],
      [302, "redirect", "failed"],
      [410, "status", "gone"],
      [null, "timeout", "failed"],
    ] as const;
    for (const [status, error, verdict] of table) assert.equal(verdictOf({ status, error }), verdict);
  });

  test("turns its endpoint off after twenty failures in a row over a day, not before", () => {
    const table = [
      [19, after(-200_000), false],
      [20, after(-86_399), false],
      [20, after(-86_400), true],
      [20, null, false],
    ] as const;
    for (const [failuresInRow, failingSince, isOff] of table)
      assert.equal(isGivenUp({ failuresInRow, failingSince }, now), isOff);
  });
});

describe("of a title is told", () => {
  const of = (state: TitleState, from: number | null = null, until: number | null = null) => ({
    state,
    availableFrom: from === null ? null : after(from),
    availableUntil: until === null ? null : after(until),
  });
  const up = "title.published";
  const down = "title.unpublished";
  const table: [string, ReturnType<typeof of>, ReturnType<typeof of>, [string, number][]][] = [
    ["its publication", of("draft"), of("published"), [[up, 0]]],
    ["nothing where it is published again", of("published"), of("published"), []],
    ["that it is taken down", of("published"), of("unpublished"), [[down, 0]]],
    ["nothing where it was not shown", of("scheduled", 60), of("unpublished"), []],
    [
      "what the clock will do",
      of("draft"),
      of("scheduled", 60, 90),
      [
        [up, 60],
        [down, 90],
      ],
    ],
    [
      "an end that is yet to come",
      of("draft"),
      of("published", null, 90),
      [
        [up, 0],
        [down, 90],
      ],
    ],
    [
      "that it is put off",
      of("published"),
      of("scheduled", 60),
      [
        [down, 0],
        [up, 60],
      ],
    ],
    ["that it is there again", of("published", null, -5), of("published"), [[up, 0]]],
    ["nothing of one whose time had come", of("scheduled", -5), of("published", -5), []],
  ];
  for (const [what, before, then, events] of table)
    test(what, () => {
      const { outbox, tellAt } = titleOutbox(before, then, now);
      const seen = outbox.map(({ type, at }) => [type, (at.getTime() - now.getTime()) / 1_000]);
      assert.deepEqual(seen, events);
      assert.deepEqual(tellAt, events.length === 0 ? null : after(Math.min(...events.map(([, at]) => at))));
    });

  test("what was due before a change, and of what was foretold only what still holds", () => {
    const foretold = { ...newEvent(up, after(60)), isForetold: true } as const;
    const passed = { ...newEvent(up, after(-1)), isForetold: true } as const;
    // Another process's clock may be a little ahead.
    const said = newEvent(down, after(1));
    const before = { ...of("scheduled", 60), ...outboxOf([foretold, passed, said]) };
    assert.deepEqual(titleOutbox(before, of("unpublished"), now).outbox, [passed, said]);
    assert.deepEqual(
      [foretold, passed, said].map((event) => isDue(event, now)),
      [false, true, true],
    );
  });
});

describe("of a title that a release without events wrote", () => {
  const untouched = (state: TitleState, from: number | null, until: number | null = null) => ({
    state,
    availableFrom: from === null ? null : after(from),
    availableUntil: until === null ? null : after(until),
  });
  const up = "title.published";
  const down = "title.unpublished";
  const foretold = (type: typeof up | typeof down, at: number) =>
    ({ ...newEvent(type, after(at)), isForetold: true }) as const;
  const day = 86_400;
  const table: [string, Parameters<typeof mendedOutbox>[0], [string, number][] | null][] = [
    [
      "its schedule is foretold",
      untouched("scheduled", 60, 90),
      [
        [up, 60],
        [down, 90],
      ],
    ],
    ["its end is foretold", untouched("published", null, 90), [[down, 90]]],
    ["what fell due meanwhile is told", untouched("scheduled", -60), [[up, -60]]],
    ["an end that fell due is told", untouched("published", -2 * day, -60), [[down, -60]]],
    ["what fell due long ago is not", untouched("scheduled", -2 * day), null],
    ["nothing is told of a draft", untouched("draft", 60, 90), null],
    ["nothing is told of what was taken down", untouched("unpublished", -60, 90), null],
    ["what was told before is not told again", { ...untouched("scheduled", -60), ...outboxOf([]) }, null],
    ["what is right stays", { ...untouched("scheduled", 60), ...outboxOf([foretold(up, 60)]) }, null],
    ["what it undid is called off", { ...untouched("unpublished", 60), ...outboxOf([foretold(up, 60)]) }, []],
    [
      "what it put off is put off",
      { ...untouched("scheduled", 90), ...outboxOf([foretold(up, 60)]) },
      [[up, 90]],
    ],
    [
      "what is due stays beside it",
      { ...untouched("scheduled", 60), ...outboxOf([newEvent(down, after(-1))]) },
      [
        [down, -1],
        [up, 60],
      ],
    ],
  ];
  for (const [what, title, events] of table)
    test(what, () => {
      const mended = mendedOutbox(title, now);
      const seen = mended?.outbox.map(({ type, at }) => [type, (at.getTime() - now.getTime()) / 1_000]);
      assert.deepEqual(seen ?? null, events);
      if (mended !== null) assert.equal(mendedOutbox({ ...title, ...mended }, now), null, "once is enough");
    });
});
