import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bootKeys, makeSecrets, ROLES, type Secrets } from "./start/secrets.ts";

/** The text of `.env`: that of `.env.example` with a fresh secret on every empty line. */
export function fillSecrets(example: string, secrets: Secrets): string {
  const values: Record<string, string> = {
    MONGO_PASSWORD: randomBytes(32).toString("hex"),
    REDIS_PASSWORD: secrets.redisPassword,
    MATINEE_S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
    MATINEE_S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
    MATINEE_GRANT_KEYS: secrets.grantKey,
    MATINEE_MASTER_KEYS: secrets.masterKey,
    // Quoted: to whoever reads the file, what stands in single quotes is text and nothing else.
    MATINEE_BOOT_KEYS: `'${bootKeys(secrets.tokens)}'`,
  };
  return example.replace(/^([A-Z0-9_]+)=$/gm, (line, name: string) => `${line}${values[name] ?? ""}`);
}

/** Writes `.env` beside docker-compose.yml and prints the tokens: they stand nowhere else, the file has their hashes. */
function main(): number {
  const root = resolve(import.meta.dirname, "..");
  const secrets = makeSecrets();
  const text = fillSecrets(readFileSync(join(root, ".env.example"), "utf8"), secrets);
  try {
    // Never over one that is there: its secrets open the volumes.
    writeFileSync(join(root, ".env"), text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    process.stderr.write("There is a .env already; its secrets open the volumes, so it stays as it is.\n");
    return 1;
  }
  const tokens = ROLES.map((role) => `  ${role.padEnd(8)} ${secrets.tokens[role]}`).join("\n");
  process.stdout.write(
    `Written: .env (for you alone). Tokens, shown this once:\n${tokens}\nGo on with: docker compose up --build\n`,
  );
  return 0;
}

if (process.argv[1] === import.meta.filename) process.exitCode = main();
