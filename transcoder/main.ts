import closeWithGrace from "close-with-grace";
import { startTranscoder } from "./app.ts";
import { readConfig } from "./config.ts";

try {
  const transcoder = await startTranscoder(readConfig(process.env));
  closeWithGrace({ delay: 25_000 }, async ({ err }) => {
    if (err) console.error(err);
    await transcoder.stop();
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
