import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { parse } from "yaml";
import { readApiConfig } from "../../api/config.ts";
import { readDeliveryConfig } from "../../delivery/config.ts";
import { fillSecrets } from "../../infra/compose-env.ts";
import { readNginxSettings } from "../../infra/nginx/settings.ts";
import { SCORER_PACKAGE } from "../../infra/start/parts/scorer.ts";
import { makeSecrets } from "../../infra/start/secrets.ts";
import { readConfig as readTranscoderConfig } from "../../transcoder/config.ts";

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string; target: string };
  user?: string;
  mem_limit?: string;
  healthcheck?: { test?: string[] };
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
}
interface Compose {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
}

const root = resolve(import.meta.dirname, "../..");
const composeText = readFileSync(join(root, "docker-compose.yml"), "utf8");
const raw = parse(composeText, { merge: true }) as Compose;
const example = readFileSync(join(root, ".env.example"), "utf8");
const instructions = readFileSync(join(root, "infra/Dockerfile"), "utf8")
  .replace(/^#.*\n/gm, "")
  .replace(/\\\n\s*/g, "")
  .split("\n")
  .map((line) => line.trim().split(/\s+/))
  .filter(([word]) => word);

/** The instructions of the Dockerfile by stage. */
const stages = new Map<string, string[][]>();
for (const instruction of instructions) {
  if (instruction[0] === "FROM") stages.set(instruction[3]!, []);
  else [...stages.values()].at(-1)?.push(instruction.slice());
}

/** The three forms of the Compose Specification that the file uses: `${NAME}`, `${NAME:-default}`, `${NAME:?error}`. */
function interpolate<T>(value: T, env: NodeJS.Dict<string>): T {
  if (typeof value === "string") {
    return value.replace(
      /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
      (_, name: string, kind?: string, rest?: string) => {
        if (!env[name] && kind === "?") throw new Error(`${name}: ${rest}`);
        return env[name] || (kind === "-" ? rest! : "");
      },
    ) as T;
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, interpolate(inner, env)]);
  return (Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)) as T;
}

/** What a container of ours finds in its environment: the image's own settings under those of its service. */
function environmentOf(name: string, env: NodeJS.Dict<string>): Record<string, string> {
  const ofImage = stages.get(name)!.filter(([word]) => word === "ENV");
  const pairs = ofImage.flatMap(([, ...settings]) => settings.map((setting) => setting.split("=")));
  return { ...Object.fromEntries(pairs), ...interpolate(raw.services[name]!.environment!, env) };
}

const READERS: Record<string, (env: Record<string, string | undefined>) => object> = {
  api: readApiConfig,
  transcoder: readTranscoderConfig,
  delivery: readDeliveryConfig,
  "edge-nginx": (env) => readNginxSettings(env),
};

test("every service says what it runs, how its health is seen, what memory it may have, and is not root", () => {
  assert.deepEqual(Object.keys(raw.services).sort(), [
    "api",
    "delivery",
    "edge-nginx",
    "mongo",
    "redis",
    "s3",
    "transcoder",
  ]);
  for (const [name, service] of Object.entries(raw.services)) {
    assert.ok(service.image || service.build, `${name}: image or build`);
    assert.ok(service.healthcheck?.test?.length, `${name}: healthcheck`);
    assert.match(service.mem_limit ?? "", /^\d+[mg]$/, `${name}: mem_limit`);
    assert.match(service.user ?? "root", /^(?!root|0(:|$))/, `${name}: user`);
    for (const needed of Object.keys(service.depends_on ?? {}))
      assert.ok(raw.services[needed], `${name}: ${needed}`);
  }
});

test("with the secrets that compose:env makes, each of ours reads its settings, and all that it is given", () => {
  const env = parseEnv(fillSecrets(example, makeSecrets()));
  for (const [name, read] of Object.entries(READERS)) {
    const given = environmentOf(name, env);
    const asked = new Set<string>();
    const watched = new Proxy(given, {
      get: (target, key: string) => {
        asked.add(key);
        return target[key];
      },
    });
    read(watched);
    // The three of a token's issuer are read together, and only where there is one.
    const unread = Object.keys(given).filter((key) => !asked.has(key) && !/^MATINEE_JWT_/.test(key));
    assert.deepEqual(unread, [], `${name} is given what it never reads`);
  }
});

test("the transcoder's image takes VMAF, by the ffmpeg that npm start fetches", () => {
  const fetched = stages.get("scorer")!.find(([word]) => word === "RUN")!;
  assert.ok(fetched.includes(SCORER_PACKAGE.requirement), fetched.join(" "));
  const [, , from, to] = stages.get("transcoder")!.find((words) => words[1] === "--from=scorer")!;
  assert.ok(fetched.join(" ").endsWith(` ${from}`));
  assert.equal(
    environmentOf("transcoder", parseEnv(fillSecrets(example, makeSecrets()))).MATINEE_VMAF_FFMPEG_PATH,
    to,
  );
});

/** What compose does not pass on, and why. */
const FIXED: Record<string, string> = {
  MATINEE_REDIS_PREFIX: "the Redis is this installation's own",
  MATINEE_WORKER_MEMORY_BYTES: "the worker reads the container's limit",
  MATINEE_MEMORY_CGROUP: "a container has no group to make others under",
  MATINEE_ALLOW_UNSANDBOXED: "never",
  MATINEE_GRANT_KEYS_FILE: "keys that change while we run come in a folder of their own (docs/operations.md)",
  MATINEE_TLS_CERT_FILE: "TLS ends at the proxy in front",
  MATINEE_TLS_KEY_FILE: "TLS ends at the proxy in front",
  MATINEE_NGINX_USER: "nginx starts as the user that it is to be",
  MATINEE_NGINX_PATH: "the image knows",
  MATINEE_NGINX_MODULES_DIR: "the image knows",
  MATINEE_REVOCATIONS_EVERY_MS: "how soon grants end is promised",
  MATINEE_NGINX_CLOCK_OFFSET_SECONDS: "for tests",
  "transcoder MATINEE_S3_PUBLIC_ENDPOINT": "it signs nothing for browsers",
  "delivery MATINEE_S3_SOURCE_BUCKET": "it reads no master",
};

test("each of ours is given every setting that it reads, but for those that are fixed for a reason", () => {
  const env = parseEnv(fillSecrets(example, makeSecrets()));
  const asked = new Set<string>();
  for (const [name, read] of Object.entries(READERS)) {
    const given = environmentOf(name, env);
    const missing = new Set<string>();
    read(
      new Proxy(given, {
        get: (target, key: string) => {
          asked.add(key).add(`${name} ${key}`);
          if (!(key in target) && !(key in FIXED) && !(`${name} ${key}` in FIXED)) missing.add(key);
          return target[key];
        },
      }),
    );
    assert.deepEqual([...missing], [], `${name} reads what it is not given`);
  }
  assert.deepEqual(
    Object.keys(FIXED).filter((name) => !asked.has(name)),
    [],
  );
});

test("one wiring: the same keys at both ends, and readers of the bucket that is written", () => {
  const env = parseEnv(fillSecrets(example, makeSecrets()));
  const [api, transcoder, delivery] = ["api", "transcoder", "delivery"].map((name) =>
    environmentOf(name, env),
  );
  assert.equal(delivery!.MATINEE_GRANT_KEYS, api!.MATINEE_GRANT_KEYS);
  assert.equal(transcoder!.MATINEE_MASTER_KEYS, api!.MATINEE_MASTER_KEYS);
  assert.equal(delivery!.MATINEE_MASTER_KEYS, undefined, "the edge opens no key");
  assert.equal(delivery!.MATINEE_S3_MEDIA_BUCKET, transcoder!.MATINEE_S3_MEDIA_BUCKET);
  assert.equal(transcoder!.MATINEE_REDIS_URL, `redis://:${env.REDIS_PASSWORD}@redis:6379`);
  assert.match(
    interpolate(raw.configs.redis!.content, env),
    new RegExp(`^requirepass ${env.REDIS_PASSWORD}$`, "m"),
  );
  assert.equal(delivery!.MATINEE_MONGO_URL, undefined, "the edge has no business with the records");
});

test("the queue's Redis keeps what it was given", () => {
  assert.match(raw.configs.redis!.content, /^appendonly yes$/m);
  assert.match(raw.configs.redis!.content, /^maxmemory-policy noeviction$/m);
});

test("without its secrets nothing starts, and the message names the first that is missing", () => {
  const env = parseEnv(fillSecrets(example, makeSecrets()));
  const secrets = [
    "MONGO_PASSWORD",
    "REDIS_PASSWORD",
    "MATINEE_S3_ACCESS_KEY_ID",
    "MATINEE_S3_SECRET_ACCESS_KEY",
  ];
  for (const name of [...secrets, "MATINEE_GRANT_KEYS"]) {
    assert.throws(() => interpolate(raw, { ...env, [name]: "" }), new RegExp(name));
  }
});

test("compose:env fills every empty line afresh and changes nothing else", () => {
  const [once, twice] = [fillSecrets(example, makeSecrets()), fillSecrets(example, makeSecrets())];
  assert.doesNotMatch(once, /^[A-Z0-9_]+=$/m);
  const secretsOf = (text: string) =>
    Object.entries(parseEnv(text)).filter(([name]) => parseEnv(example)[name] === "");
  assert.equal(secretsOf(once).length, 7);
  for (const [name, value] of secretsOf(once)) {
    assert.notEqual(parseEnv(twice)[name], value);
    assert.ok(value!.length >= 16, name);
  }
});

test("every setting in .env.example is one that the compose file takes", () => {
  const offered = [...example.matchAll(/^#?([A-Z0-9_]+)=/gm)].map(([, name]) => name!);
  const taken = new Set([...composeText.matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
  assert.deepEqual(
    offered.filter((name) => !taken.has(name)),
    [],
  );
  assert.deepEqual(
    [...taken].filter((name) => !offered.includes(name!)),
    [],
  );
});

test("every image has its stage, ends as somebody, and copies only what there is and may be seen", () => {
  const shown = readFileSync(join(root, ".dockerignore"), "utf8")
    .match(/^!.+/gm)!
    .map((line) => line.slice(1));
  for (const { build } of Object.values(raw.services)) {
    if (!build) continue;
    assert.ok(existsSync(join(root, build.context, build.dockerfile)));
    assert.ok(stages.has(build.target), `stage ${build.target}`);
    const users = stages.get(build.target)!.filter(([word]) => word === "USER");
    if (users.length > 0) assert.equal(users.at(-1)![1], "1000:1000", build.target);
  }
  for (const [word, ...args] of [...stages.values()].flat().filter(([one]) => one === "COPY")) {
    const from = args.find((arg) => arg.startsWith("--from="))?.slice("--from=".length);
    if (from !== undefined) assert.ok(stages.has(from), `${word} --from=${from}`);
    else {
      for (const source of args.slice(0, -1)) {
        assert.ok(existsSync(join(root, source)) && shown.includes(source), `${word} ${source}`);
      }
    }
  }
});

test("Docker's own client accepts the file", (context) => {
  if (spawnSync("docker", ["compose", "version"]).status !== 0)
    return context.skip("docker has no compose here");
  const folder = mkdtempSync(join(tmpdir(), "matinee-compose-"));
  try {
    const envFile = join(folder, "env");
    writeFileSync(envFile, fillSecrets(example, makeSecrets()));
    const docker = spawnSync("docker", ["compose", "--env-file", envFile, "config", "-q"], { cwd: root });
    assert.equal(docker.status, 0, docker.stderr.toString());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
