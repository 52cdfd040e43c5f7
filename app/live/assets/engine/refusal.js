// What the server says instead of an answer: a code for the page, a sentence for the person (see app/live/refusals.py).

export const GONE = "gone"; // what is asked for by its number is not remembered any more
export const CHANGED = "changed"; // the model is not any more what the page shows

/** An error whose `code` names what went wrong; its message is for the person. */
export class Refusal extends Error {
  /**
   * @param {string} code empty where nobody said
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The refusal of a server that does not answer at all. */
export function outOfReach() {
  return new Refusal("", "the server is out of reach; try again shortly");
}

/**
 * What an HTTP answer that is no success says.
 * @param {{text: () => Promise<string>}} response
 * @returns {Promise<Refusal>}
 */
export async function refusalOf(response) {
  const text = await response.text();
  const { code, message } = parsed(text) ?? {};
  const isOurs = typeof code === "string" && typeof message === "string";
  return isOurs ? new Refusal(code, message) : new Refusal("", text); // of somebody between us and the server
}

/**
 * @param {string} text
 * @returns {any} null where it is no JSON
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * What the reason of a closed socket says: a code, a space, a sentence.
 * @param {string} reason
 * @returns {Refusal}
 */
export function refusalOfClose(reason) {
  const [code] = reason.split(" ", 1);
  return new Refusal(code, reason.slice(code.length + 1));
}
