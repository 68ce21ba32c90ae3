/** Elements by function calls; text is always text, never markup. */

/**
 * Return an element: `h("button", { type: "button", onclick: go, dataset: { testid: "go" } }, "Go")`.
 * Attributes that are null or false are left out; functions become properties.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "dataset") Object.assign(element.dataset, value);
    else if (typeof value === "function") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return the element of an id; it is in index.html. */
export function byId(id) {
  return document.getElementById(id);
}

/** Return an icon of `style/icons.svg`; what it stands for is said in words beside it. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `style/icons.svg#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Set a text only where it differs, so that nothing is drawn or read aloud for no reason. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Offer a file for saving. */
export function save(name, blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
