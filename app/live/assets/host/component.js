// What our components share: how Streamlit mounts them, and how they report to Python. No other module knows Streamlit.

import { remote } from "../engine/remote.js";
import { setVisitor } from "../engine/visitor.js";
import { adoptStyles, el } from "../ui/dom.js";
import { sentence } from "../ui/text.js";

/**
 * @typedef {object} StreamlitComponent what Streamlit hands to a component
 * @property {MountedRoot} parentElement
 * @property {any} data what Python sent
 * @property {(kind: string, value: any) => void} setTriggerValue
 */

/** @typedef {import("../engine/source.js").Host} Host */

/**
 * @typedef {object} Context what a part is made with
 * @property {ShadowRoot} shadow where it puts its elements
 * @property {import("../engine/source.js").Source} source
 * @property {Host} host
 * @property {import("../engine/payloads.js").Limits} limits
 */

/**
 * @typedef {object} Part
 * @property {any} data the newest from Python; null before the first
 * @property {(data: any) => void} build called once
 * @property {(data: any, before: any) => void} update called every time; `before` is the data of the time before, if any
 */

/**
 * What was mounted hangs on its node, which outlives a run of the script: modules of another version find it there too.
 * @typedef {ShadowRoot & {part?: Part | null, streamlit?: StreamlitHost, latest?: StreamlitComponent}} MountedRoot
 */

/**
 * The function that the entry calls at the first mount and at each change of `data` (app/components/mounting.py).
 * The newest data wins, however long the style sheets take; the part lives as long as its node.
 * @param {new (context: Context) => Part} Part
 * @param {string[]} folders whose style sheets the part needs, in the order of the folders, after that of ui/
 */
export function mounting(Part, folders) {
  /**
   * @param {StreamlitComponent} component
   * @param {{root: URL, assets: URL}} addresses of the server and of our modules
   */
  return async (component, { root, assets }) => {
    const shadow = component.parentElement;
    shadow.latest = component;
    const { plotlyVersion, limits } = component.data;
    const source = remote(root, plotlyVersion);
    if (plotlyVersion) source.plotly().catch(() => {}); // the largest file goes first; who needs it hears of a failure
    const sheets = ["ui", ...folders].map((folder) => new URL(`styles/${folder}.css`, assets).href);
    await adoptStyles(shadow, sheets);
    shadow.streamlit ??= new StreamlitHost();
    bringUpToDate(shadow, (host) => new Part({ shadow, source, host, limits }));
  };
}

/**
 * Make the part, or tell it the newest data; an error shows a sentence, not a blank page.
 * @param {MountedRoot} shadow
 * @param {(host: Host) => Part} make
 */
function bringUpToDate(shadow, make) {
  const { streamlit, latest } = shadow;
  streamlit.component = latest;
  setVisitor(latest.data.session);
  try {
    shadow.part ??= built(make(streamlit), latest.data);
    const { part } = shadow;
    const before = part.data;
    part.data = latest.data;
    part.update(part.data, before);
    shadow.querySelector(".failure")?.remove();
  } catch (error) {
    console.error(error);
    showFailure(shadow, error);
  }
}

/**
 * @param {Part} part
 * @param {any} data
 */
function built(part, data) {
  part.data = data;
  part.build(data);
  part.data = null; // it has not been updated yet
  return part;
}

/**
 * @param {MountedRoot} shadow
 * @param {Error} error
 */
function showFailure(shadow, { message }) {
  shadow.querySelector(".failure")?.remove();
  const reason = `Something went wrong inside this page (${message}).`;
  const remedy = "Reload it; if it happens again, the browser's console says where.";
  shadow.prepend(el("p", { class: "note failure", role: "alert" }, `${reason} ${remedy}`));
}

/**
 * Python, by way of Streamlit.
 * @implements {Host}
 */
class StreamlitHost {
  /** @type {StreamlitComponent | null} */
  component = null; // the newest

  /**
   * Tell Python what the person did, with the model that it was done to: when that was switched meanwhile, Python drops
   * it; null for a component of no model. Triggers, not state values: a state value that is reported twice in a row
   * arrives once.
   * @param {string} kind
   * @param {any} value
   */
  report(kind, value) {
    const { digest = null, referenceDigest = null } = this.component.data.model ?? {};
    this.component.setTriggerValue(kind, { model: digest, reference: referenceDigest, value });
  }
}

/**
 * Whether the data of two updates belong to different models, or to different reference sets of one.
 * @param {{model: import("../engine/payloads.js").Model} | null} before
 * @param {{model: import("../engine/payloads.js").Model}} after
 */
export function isOtherModel(before, after) {
  return ["name", "digest", "referenceDigest"].some((part) => before?.model[part] !== after.model[part]);
}

/**
 * What to say of the live channel's state; nothing when all is well.
 * @param {import("../engine/source.js").LiveState} state
 * @param {string} reason
 */
export function channelText(state, reason) {
  if (state === "busy") return `${sentence(reason)} This page goes on by itself.`;
  if (state === "lost") return "The server is out of reach; this page goes on by itself when it is back.";
  return state === "refused" ? `The server refused the last request: ${reason}` : "";
}
