// Small helpers for building elements.

/** Make an element: el("button", { class: "x", onclick: f }, "text", child). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (/^(data|aria)-/.test(name)) node.setAttribute(name, String(value)); // these say "true" and "false"
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Put a style sheet of ours into a shadow root once; resolves when it applies, or cannot be had. */
export function adoptStyles(shadow, url) {
  shadow.styled ??= new Promise((resolve) => {
    shadow.append(el("link", { rel: "stylesheet", href: url, onload: resolve, onerror: resolve }));
  });
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
