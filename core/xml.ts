export function element(
  name: string,
  attributes: Record<string, string | number>,
  children: readonly string[] = [],
  inline = false,
): string {
  const open = [
    name,
    ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(String(value))}"`),
  ].join(" ");
  if (children.length === 0) return `<${open}/>`;
  if (inline) return `<${open}>${children.join("")}</${name}>`;
  const body = children.flatMap((child) => child.split("\n")).map((line) => `  ${line}`);
  return [`<${open}>`, ...body, `</${name}>`].join("\n");
}

/** XML 1.0 2.4; control characters cannot stand in XML at all (2.2). */
export function escaped(text: string): string {
  const allowed = [...text].filter((letter) => letter >= " ").join("");
  return allowed
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
