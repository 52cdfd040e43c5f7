// Small helpers for building elements.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: el("button", { class: "x", onclick: f }, "text", child). */
export function el(tag, attributes = {}, ...children) {
  return withAttributes(document.createElement(tag), attributes, children);
}

/** Make an element of a drawing: svg("line", { x1: 0, ... }). */
export function svg(tag, attributes = {}, ...children) {
  return withAttributes(document.createElementNS(SVG, tag), attributes, children);
}

function withAttributes(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (/^(data|aria)-/.test(name))
      node.setAttribute(name, String(value)); // these say "true" and "false"
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Put style sheets of ours into a shadow root once; resolves when they apply, or cannot be had. */
export function adoptStyles(shadow, urls) {
  const adopt = (href) =>
    new Promise((resolve) => {
      shadow.append(el("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }));
    });
  shadow.styled ??= Promise.all(urls.map(adopt));
  return shadow.styled;
}

/** Replace an element's children only when `content` differs from the last, and keep the focus where it was. */
export function renew(node, content, makeChildren) {
  const key = JSON.stringify(content);
  if (node.shown === key) return;
  node.shown = key;
  const label = node.getRootNode().activeElement?.getAttribute("aria-label");
  const hadFocus = node.contains(node.getRootNode().activeElement);
  node.replaceChildren(...makeChildren());
  if (hadFocus && label) node.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
}
