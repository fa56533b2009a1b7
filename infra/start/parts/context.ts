import type { Workbench } from "../install.ts";
import type { Secrets } from "../secrets.ts";
import type { Supervisor } from "../supervise.ts";

/** What starting a part needs. */
export interface PartContext extends Workbench {
  supervisor: Supervisor;
  secrets: Secrets;
  /** Ports by part name. */
  ports: Readonly<Record<string, number>>;
  dataDirectory: string;
}
