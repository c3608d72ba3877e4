/* The API, with the token of who reads. The token came in the fragment of the
 * address, which no server and no log sees; it is taken out of the address at
 * once and kept here alone, until the page is closed. */

const WAIT_MS = 20000;

let token = "";

/* Takes the token out of the address. */
export function takeToken() {
  const found = /[#&]token=([^&]+)/.exec(location.hash);
  if (found)
    token = decodeURIComponent(found[1]);
  if (location.hash)
    history.replaceState(history.state, "",
      location.pathname + location.search);
}

export function hasToken() {
  return token !== "";
}

/* What went wrong. `kind`: "offline" (nothing came back), "token", "problem". */
export class Trouble extends Error {
  constructor(kind, status, problem) {
    super(kind);
    this.kind = kind;
    this.status = status || 0;
    this.code = problem && problem.code || "";
    this.title = problem && problem.title || "";
  }
}

/* One intended effect has one key, however often it is sent. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, b => ("0" + b.toString(16)).slice(-2)).join("");
}

async function body_of(answer) {
  const text = await answer.text();
  try {
    return text === "" ? null : JSON.parse(text);
  } catch (e) {
    throw new Trouble("problem", answer.status, null);
  }
}

/* Asks; `key` for what changes something. Returns the body, or throws a
 * Trouble. */
export async function call(method, url, body, key) {
  const headers = {
    "Authorization": "Bearer " + token,
    "Accept-Language": document.documentElement.lang,
  };
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), WAIT_MS);
  if (key)
    headers["Idempotency-Key"] = key;
  if (body)
    headers["Content-Type"] = "application/json";
  let answer, content;
  try {
    answer = await fetch(url, {
      method, headers, body: body ? JSON.stringify(body) : undefined,
      signal: control.signal, cache: "no-store", credentials: "omit",
      redirect: "error", referrerPolicy: "no-referrer",
    });
    content = await body_of(answer);
  } catch (e) {
    throw e instanceof Trouble ? e : new Trouble("offline");
  } finally {
    clearTimeout(timer);
  }
  if (answer.status === 401)
    throw new Trouble("token", 401, content);
  if (!answer.ok)
    throw new Trouble("problem", answer.status, content);
  return content;
}
