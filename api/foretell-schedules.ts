import { mendSchedules } from "../stores/library/schedules.ts";
import type { ApiDeps } from "./deps.ts";

/** Has titles foretell their schedules that an older release wrote, beside which this one may run for a while. */
export async function foretellSchedules({ library, log }: Pick<ApiDeps, "library" | "log">): Promise<void> {
  const mended = await mendSchedules(library);
  if (mended > 0) log.info({ mended }, "schedules foretold that nobody had");
}
