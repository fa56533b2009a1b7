import type { Machine } from "../install.ts";
import type { Report } from "../report.ts";
import type { Secrets } from "../secrets.ts";
import type { Supervisor } from "../supervise.ts";

/** What starting a part needs. */
export interface PartContext {
  machine: Machine;
  report: Report;
  supervisor: Supervisor;
  secrets: Secrets;
  /** Ports by part name. */
  ports: Readonly<Record<string, number>>;
  dataDirectory: string;
}
