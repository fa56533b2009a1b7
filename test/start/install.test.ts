import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import test from "node:test";
import {
  chooseWay,
  type Machine,
  obtain,
  thisMachine,
  toolsDirectory,
  type Way,
} from "../../infra/start/install.ts";
import { MONGO } from "../../infra/start/parts/mongo.ts";
import { REDIS } from "../../infra/start/parts/redis.ts";
import { S3 } from "../../infra/start/parts/s3.ts";
import { openReport } from "../../infra/start/report.ts";

function machine(has: string[], environment: Record<string, string> = {}, isRoot = false): Machine {
  return { environment, isRoot, find: (binary) => (has.includes(binary) ? `/bin/${binary}` : null) };
}

/** What stands for a way in the table. */
function word(way: Way): string {
  if (way.by === "setting") return `use ${way.value}`;
  if (way.by === "binary") return `run ${way.path}`;
  if (way.by === "install") return `install by ${way.installer.by}`;
  return "tell";
}

test("each part is what was named, else what is there, else what can be installed, else a line to type", () => {
  const table: [typeof MONGO, Machine, string][] = [
    [MONGO, machine(["mongod"], { MATINEE_MONGO_URL: "mongodb://db" }), "use mongodb://db"],
    [MONGO, machine(["mongod", "secantusd-rs", "python3"]), "run /bin/mongod"],
    [MONGO, machine(["secantusd-rs"]), "run /bin/secantusd-rs"],
    [MONGO, machine(["python3"]), "install by python"],
    [MONGO, machine(["apt-get"], {}, true), "tell"],
    [REDIS, machine(["redis-server"], { MATINEE_REDIS_URL: "redis://q" }), "use redis://q"],
    [REDIS, machine(["redis-server", "valkey-server"]), "run /bin/redis-server"],
    [REDIS, machine(["valkey-server", "apt-get"], {}, true), "run /bin/valkey-server"],
    [REDIS, machine(["apt-get"], {}, true), "install by apt"],
    [REDIS, machine(["apt-get"], {}, false), "tell"],
    [REDIS, machine(["apt-get", "brew"], {}, false), "install by brew"],
    [S3, machine(["versitygw"], { MATINEE_S3_ENDPOINT: "http://s3" }), "use http://s3"],
    [S3, machine(["versitygw", "go"]), "run /bin/versitygw"],
    [S3, machine(["go", "brew"]), "install by go"],
    [S3, machine([]), "tell"],
    [S3, machine([], { MATINEE_S3_ENDPOINT: "" }), "tell"],
  ];
  for (const [recipe, on, expected] of table) assert.equal(word(chooseWay(recipe, on)), expected);
});

test("what cannot be had is one line that names the part and what to type", async () => {
  const bench = {
    machine: machine([]),
    report: openReport(process.stderr),
    signal: new AbortController().signal,
  };
  for (const [recipe, words] of [
    [MONGO, /^mongodb: .*MATINEE_MONGO_URL\.$/],
    [REDIS, /^redis: .*apt-get install redis-server.*MATINEE_REDIS_URL\.$/],
    [S3, /^s3: .*MATINEE_S3_ENDPOINT and its keys\.$/],
  ] as const) {
    await assert.rejects(obtain(recipe, bench), (error: Error) => {
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
});

test("an installation is shown, runs, and is found afterwards in our own folder; a failed one tells why", async () => {
  const cache = mkdtempSync(join(tmpdir(), "matinee-tools-"));
  try {
    const bin = join(cache, "path");
    mkdirSync(bin);
    const go =
      '#!/bin/sh\n[ "$2" = good ] || { echo "no such module"; exit 3; }\nmkdir -p "$GOBIN" && cp "$0" "$GOBIN/made-up-program"\n';
    writeFileSync(join(bin, "go"), go, { mode: 0o755 });
    const environment = { PATH: `${bin}:/usr/bin:/bin`, XDG_CACHE_HOME: cache };
    const lines = new PassThrough();
    const bench = {
      machine: thisMachine(environment),
      report: openReport(lines as unknown as NodeJS.WriteStream),
      signal: new AbortController().signal,
    };
    const recipe = { part: "part", setting: "NOT_SET", binaries: ["made-up-program"], advice: "" };
    const by = (module: string) => [{ by: "go" as const, module, binary: "made-up-program" }];
    await assert.rejects(obtain({ ...recipe, installers: by("bad") }, bench), /failed \(3\)\nno such module/);
    const found = await obtain({ ...recipe, installers: by("good") }, bench);
    assert.deepEqual(found, { program: join(toolsDirectory(environment), "bin/made-up-program") });
    assert.match(String(lines.read()), /part +installing: .*go install good\n/);
  } finally {
    rmSync(cache, { recursive: true });
  }
});
