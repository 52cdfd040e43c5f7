// Who this page is to the server: the token of its session, which names the place in a queue (see app/services/visitors.py).

let token = "";

/** @param {string | undefined} session the session's token, as Python gave it; another one after a restart of the server */
export function setVisitor(session) {
  token = session ?? token;
}

/** @returns {Record<string, string>} what a question's headers say of it */
export function visitorHeaders() {
  return token ? { "X-Visitor": token } : {};
}
