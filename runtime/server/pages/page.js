/* What the sheet and the centre share: where we are, for whom we ask, what is
 * told when something goes wrong, the way back. */
import {call} from "./api.js";
import {button, h, show, t} from "./dom.js";

const root = document.documentElement;
const body = document.body;
const PAGES_MAX = 50; /* of a list, that are fetched to be shown as one */
const SIZES = [18, 20, 22, 24, 27, 30, 34, 40];
const ELDER_SIZE = 22;

export const app = {
  base: "",        /* "/v1/c/demo/", before "consent/...", "centre", "bills" */
  view: "",        /* "sheet", "centre", "bills" */
  plugin: "",      /* of a sheet; of a centre: whose reads */
  items: [],       /* of a sheet: FIELD:PURPOSE */
  ward: "",        /* for whom; "": oneself */
  tab: "grants",   /* of a centre */
  back: body.dataset.back || "",
  names: {},       /* of wards, by id */
  draw: null,      /* main.js */
};

/* -- where we are -- */

export function readAddress() {
  const query = new URLSearchParams(location.search);
  const found = /^(.*\/)(?:consent\/([^/]+)|centre|bills)$/.exec(location.pathname);
  app.base = found[1];
  app.view = found[2] ? "sheet"
    : location.pathname.endsWith("/bills") ? "bills" : "centre";
  app.plugin = found[2] ? decodeURIComponent(found[2])
    : query.get("plugin") || "";
  app.items = query.getAll("item");
  app.ward = query.get("for") || "";
  app.tab = query.get("tab") || "grants";
}

function address() {
  const query = new URLSearchParams();
  for (const item of app.view === "sheet" ? app.items : [])
    query.append("item", item);
  if (app.ward)
    query.set("for", app.ward);
  if (app.view === "centre" && app.tab !== "grants")
    query.set("tab", app.tab);
  if (app.view === "centre" && app.plugin)
    query.set("plugin", app.plugin);
  query.set("lang", root.lang);
  query.set("size", root.dataset.size);
  if (root.dataset.elder === "1")
    query.set("elder", "1");
  if (app.back)
    query.set("return", app.back);
  return app.base + (app.view === "sheet"
    ? "consent/" + encodeURIComponent(app.plugin) : app.view) + "?" + query;
}

/* Goes on within the page, so that the token need not leave it. */
export function go(to) {
  Object.assign(app, {plugin: "", items: [], tab: "grants"}, to);
  history.pushState(null, "", address());
  app.draw();
}

/* -- how large -- */

export function setSize(size) {
  const at = SIZES.indexOf(size);
  root.dataset.size = size;
  document.getElementById("smaller").setAttribute("aria-disabled", at === 0);
  document.getElementById("larger").setAttribute("aria-disabled",
    at === SIZES.length - 1);
}

export function resize(step) {
  const at = SIZES.indexOf(Number(root.dataset.size)) + step;
  setSize(SIZES[Math.max(0, Math.min(SIZES.length - 1, at))]);
  history.replaceState(null, "", address());
}

/* The app's token may say that this reader wants large text. */
export function makeElder() {
  if (root.dataset.elder === "1")
    return;
  root.dataset.elder = "1";
  setSize(Math.max(Number(root.dataset.size), ELDER_SIZE));
  history.replaceState(null, "", address());
}

/* -- the API, for whom we are here -- */

export function api(method, path, query, content, key) {
  const asked = new URLSearchParams(query || []);
  if (app.ward)
    asked.set("for", app.ward);
  const text = String(asked);
  return call(method, app.base + "me/" + path + (text ? "?" + text : ""),
    content, key);
}

/* All items of a list, page after page. */
export async function all(path) {
  const items = [];
  let cursor = "";
  for (let i = 0; i < PAGES_MAX; i++) {
    const page = await api("GET", path, cursor ? [["cursor", cursor]] : []);
    items.push(...page.items);
    cursor = page.next;
    if (!cursor)
      break;
  }
  return items;
}

/* How a ward is called, where the guardian may see it; else they stay an id. */
export async function learnName(ward) {
  if (!ward || app.names[ward])
    return;
  app.names[ward] = ward;
  try {
    const fields = await call("GET", app.base + "me/fields?" +
      new URLSearchParams({for: ward}));
    const name = fields.items.find(one => one.field === "display_name");
    if (name && typeof name.value === "string")
      app.names[ward] = name.value;
  } catch (trouble) {
    if (trouble.kind !== "problem")
      throw trouble;
  }
}

export function nameOf(ward) {
  return app.names[ward] || ward;
}

export function wardName() {
  return nameOf(app.ward);
}

/* What to tell of a Trouble: [heading, text]. `sent`: something was to be
 * changed, and it may have been. */
export function toldOf(trouble, sent) {
  if (trouble.kind === "offline")
    return [t("offline_title"), t(sent ? "unsure_text" : "offline_text")];
  if (trouble.kind === "token")
    return [t("expired_title"), t("expired_text")];
  const by = {"consent/text-changed": "changed_text",
    "consent/forbidden": "forbidden_text"}[trouble.code] ||
    {403: "forbidden_text", 404: "missing_service", 429: "busy_text",
      503: "busy_text"}[trouble.status] || "problem_text";
  return [t("problem_title"), t(by)];
}

/* A page of its own for a Trouble; `again` is tried once more. */
export function showTrouble(trouble, again) {
  const [title, text] = toldOf(trouble, false);
  show(h("h1", null, title),
    h("p", {class: "notice alert", role: "alert"}, text),
    trouble.code
      ? h("p", {class: "small"}, t("problem_code", {code: trouble.code}))
      : null,
    h("div", {class: "actions"},
      trouble.kind === "token" ? null : button(t("again"), again),
      backButton()));
}

/* -- the way back to the app -- */

/* Tells the app that opened us, if the operator named it, how it ended: what
 * became of it and which grant, nothing else. */
export function tellApp(outcome, grant) {
  const listener = window.opener || (window.parent !== window && window.parent);
  if (!listener)
    return;
  const origins = (body.dataset.origins || "").split(" ").filter(o => o);
  for (const origin of origins.concat(location.origin))
    listener.postMessage({type: "linli.consent", outcome, grant}, origin);
}

export function backButton() {
  return app.back
    ? h("a", {class: "button", href: app.back, rel: "noreferrer"},
      t("back_to_app"))
    : null;
}

