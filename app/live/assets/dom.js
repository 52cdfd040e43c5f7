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

/** Put a style sheet of ours into a shadow root once; resolves when it applies. */
export function adoptStyles(shadow, url) {
  if (shadow.querySelector(`link[href="${url}"]`)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = el("link", { rel: "stylesheet", href: url, onload: resolve, onerror: reject });
    shadow.append(link);
  });
}
