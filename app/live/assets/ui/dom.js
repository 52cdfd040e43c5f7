// Small helpers for building elements.

const SVG = "http://www.w3.org/2000/svg";

/** @type {WeakMap<Element, string>} */
const shownContent = new WeakMap(); // what `renew` made an element's children of

/**
 * Make an element: el("button", { class: "x", onclick: f }, "text", child).
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} attributes functions under "on..." are listeners; false and null leave one out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  return withAttributes(document.createElement(tag), attributes, children);
}

/**
 * Make an element of a drawing: svg("line", { x1: 0, ... }).
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} attributes
 * @param {(Node | string)[]} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  return withAttributes(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} Made
 * @param {Made} node
 * @param {Record<string, any>} attributes
 * @param {(Node | string)[]} children
 */
function withAttributes(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    // These say "true" and "false".
    else if (/^(data|aria)-/.test(name)) node.setAttribute(name, String(value));
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/**
 * Put style sheets of ours into a shadow root once; resolves when they apply, or cannot be had.
 * @param {ShadowRoot & {styled?: Promise<unknown>}} shadow remembers it: modules of another version find it there too
 * @param {string[]} urls
 */
export function adoptStyles(shadow, urls) {
  /** @param {string} href */
  const adopt = (href) =>
    new Promise((resolve) => {
      shadow.append(el("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
    });
  shadow.styled ??= Promise.all(urls.map(adopt));
  return shadow.styled;
}

/**
 * Replace an element's children only when `content` differs from the last, and keep the focus where it was.
 * @param {HTMLElement} node
 * @param {unknown} content all that the children depend on, in JSON
 * @param {() => (Node | string)[]} makeChildren
 */
export function renew(node, content, makeChildren) {
  const key = JSON.stringify(content);
  if (shownContent.get(node) === key) return;
  shownContent.set(node, key);
  const root = /** @type {Document | ShadowRoot} */ (node.getRootNode());
  const label = root.activeElement?.getAttribute("aria-label");
  const hadFocus = node.contains(root.activeElement);
  node.replaceChildren(...makeChildren());
  if (!hadFocus || !label) return;
  /** @type {HTMLElement | null} */ (node.querySelector(`[aria-label="${CSS.escape(label)}"]`))?.focus();
}
