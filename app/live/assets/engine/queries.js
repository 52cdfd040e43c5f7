// Questions that need more than a decoded picture: answered by the server in one go (see app/live/ask.py).

import { saveFile } from "../ui/download.js";
import { modelAddress } from "./model_address.js";
import { outOfReach, refusalOf } from "./refusal.js";
import { visitorHeaders } from "./visitor.js";

/** @typedef {import("./source.js").Asks} Asks */

/**
 * Asks questions about one model; of two in the same slot the newer one counts.
 * @implements {Asks}
 */
export class Queries {
  /**
   * @param {URL} root of the server
   * @param {{name: string, digest: string, referenceDigest: string}} model
   */
  constructor(root, model) {
    this.root = root;
    this.model = model;
    /** @type {Map<string, AbortController>} */
    this.slots = new Map();
  }

  /**
   * @param {string} what the question's name
   * @param {object} body
   * @param {string} slot questions in the same slot replace each other; by default the question's name
   * @returns {Promise<any>} never settles when a newer question took its place
   * @throws {import("./refusal.js").Refusal} with the server's sentence
   */
  async ask(what, body, slot = what) {
    this.slots.get(slot)?.abort();
    const controller = new AbortController();
    this.slots.set(slot, controller);
    try {
      return await (await this.post(what, body, controller.signal)).json();
    } catch (error) {
      if (controller.signal.aborted) return new Promise(() => {});
      throw error;
    }
  }

  /**
   * Have the server begin work in the background. Its answer, which names the work, is waited for even when the model is
   * switched meanwhile: work without a name could not be stopped.
   * @param {string} what
   * @param {object} body
   * @returns {Promise<{job: string}>}
   */
  async begin(what, body) {
    return (await this.post(what, body)).json();
  }

  /**
   * Ask for a file.
   * @param {string} what
   * @param {object} body
   */
  async file(what, body) {
    return (await this.post(what, body)).blob();
  }

  /**
   * Ask for a file and let the browser save it.
   * @param {string} what
   * @param {object} body
   * @param {string} fileName
   */
  async save(what, body, fileName) {
    saveFile(await this.file(what, body), fileName);
  }

  /**
   * @param {string} what
   * @param {object} body
   * @param {AbortSignal} [signal]
   */
  async post(what, body, signal) {
    const url = modelAddress(this.root, this.model, `ask/${what}`);
    const headers = { "Content-Type": "application/json", ...visitorHeaders() };
    const request = { method: "POST", headers, body: JSON.stringify(body), signal };
    const response = await fetch(url, request).catch((error) => {
      throw error.name === "AbortError" ? error : outOfReach();
    });
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  /** Forget what was asked. */
  close() {
    for (const controller of this.slots.values()) controller.abort();
  }
}
