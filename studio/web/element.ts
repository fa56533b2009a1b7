type Child = Node | string | null;
type Properties = Record<string, string | boolean | EventListener | undefined>;

/**
 * A DOM element from attributes, `on…` listeners and children; text never becomes markup. `true` sets an empty
 * attribute, `false` and undefined set none.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties?: Properties,
  ...children: Child[]
): HTMLElementTagNameMap[K];
export function element(tag: string, properties?: Properties, ...children: Child[]): HTMLElement;
export function element(tag: string, properties: Properties = {}, ...children: Child[]): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** An element of a drawing. */
export function svg(tag: string, attributes: Record<string, string>): Element {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
