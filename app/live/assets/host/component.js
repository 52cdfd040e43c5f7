// What our components share: how they are mounted, and how they report to Python.

import { setVisitor } from "../engine/visitor.js";
import { loadPlotly } from "../map/plotly.js";
import { adoptStyles } from "../ui/dom.js";
import { sentence } from "../ui/text.js";

/**
 * The function that Streamlit calls at the first mount and at each change of `data`.
 * The newest data wins, however long the style sheet takes; the part lives as long as its node.
 * @param {new (shadow: ShadowRoot, root: URL) => {build: (data) => void, update: (data, before) => void}} Part
 *   `build` is called once, `update` every time; `before` is the data of the time before, if any
 * @param {string[]} folders whose style sheets the part needs, in the order of the folders, after that of ui/
 */
export function mounting(Part, folders) {
  return async (component, { root, assets }) => {
    const shadow = component.parentElement;
    shadow.latest = component;
    if (component.data.plotlyVersion) loadPlotly(root, component.data.plotlyVersion); // the largest file goes first
    await adoptStyles(
      shadow,
      ["ui", ...folders].map((folder) => new URL(`styles/${folder}.css`, assets).href),
    );
    bringUpToDate((shadow.part ??= new Part(shadow, root)), shadow.latest);
  };
}

function bringUpToDate(part, component) {
  const before = part.data;
  part.component = component;
  setVisitor(component.data.session);
  part.data = component.data;
  if (!before) part.build(part.data);
  part.update(part.data, before);
}

/**
 * Tell Python what the person did, with the model that it was done to: when that was switched meanwhile, Python
 * drops it; null for a component of no model. Triggers, not state values: a state value that is reported twice in a row arrives once.
 */
export function report(component, kind, value) {
  const { digest = null, referenceDigest = null } = component.data.model ?? {};
  component.setTriggerValue(kind, { model: digest, reference: referenceDigest, value });
}

/** Whether the data of two updates belong to different models, or to different reference sets of one. */
export function isOtherModel(before, after) {
  return ["name", "digest", "referenceDigest"].some((part) => before?.model[part] !== after.model[part]);
}

/** What to say of the live channel's state; nothing when all is well. */
export function channelText(state, reason) {
  if (state === "busy") return `${sentence(reason)} This page goes on by itself.`;
  if (state === "lost") return "The server is out of reach; this page goes on by itself when it is back.";
  return state === "refused" ? `The server refused the last request: ${reason}` : "";
}
