/* The other two parts of the centre: who read what, and what one may ask for:
 * a stop to everything, a copy, erasure; and who decides for whom. */
import {act, alertBox} from "./acts.js";
import {announce, button, day, h, moment, said, show, t, words}
  from "./dom.js";
import {all, api, app, backButton, go, learnName, nameOf} from "./page.js";
import {tabs, wardBar} from "./centre.js";

/* -- who read -- */

function fieldNames(read) {
  return read.fields.map(field => said(field.name) || field.id)
    .join(t("comma"));
}

/* What staff or a guardian did has no plugin, and may have no purpose. */
function drawRead(read) {
  return h("li", {class: "item"},
    h("p", null, h("strong", null, moment(read.at))),
    h("p", null, read.plugin
      ? t("read_line", {plugin: said(read.plugin_name) || read.plugin,
        fields: fieldNames(read)})
      : fieldNames(read)),
    read.purpose_text ? h("p", {class: "quiet"},
      t("read_for", {purpose: said(read.purpose_text)})) : null);
}

async function readPage(cursor) {
  const query = app.plugin ? [["plugin", app.plugin]] : [];
  if (cursor)
    query.push(["cursor", cursor]);
  return api("GET", "access-log", query);
}

export async function drawReads() {
  let page = await readPage("");
  const list = h("ul", null, ...page.items.map(drawRead));
  const alert = alertBox();
  const more = button(t("more"), () =>
    act([more], alert, () => readPage(page.next), later => {
      page = later;
      const first = list.children.length;
      list.append(...page.items.map(drawRead));
      more.removeAttribute("aria-disabled");
      more.hidden = !page.next;
      const reached = list.children[first];
      if (reached) {
        reached.setAttribute("tabindex", "-1");
        reached.focus();
      }
    }));
  more.hidden = !page.next;
  const name = app.plugin && page.items.length > 0
    ? said(page.items[0].plugin_name) || app.plugin : app.plugin;
  show(h("h1", null, name ? t("reads_of", {plugin: name}) : t("reads_title")),
    tabs(), wardBar(),
    page.items.length === 0
      ? h("p", {class: "notice"}, t("empty_reads"))
      : h("section", {class: "card"}, list),
    h("div", {class: "actions"}, alert, more, app.plugin
      ? button(t("reads_all"), () => go({view: "centre", tab: "reads"}))
      : null, backButton()));
}

/* -- stop everything -- */

function blockSwitch(on) {
  const alert = alertBox();
  const state = h("span", null);
  const press = button(h("span", null, t("block_switch")), () =>
    act([press], alert, key => api(on ? "DELETE" : "POST", "objections",
      null, {objection: "block"}, key), () => {
      on = !on;
      tell();
    }), {role: "switch"});
  const tell = () => {
    press.setAttribute("aria-checked", String(on));
    press.removeAttribute("aria-disabled");
    state.textContent = t(on ? "block_on" : "block_off");
    announce(state.textContent);
  };
  press.append(state);
  tell();
  return h("section", {class: "card"}, h("h2", null, t("block_title")),
    h("p", null, t("block_text")), alert, press);
}

/* -- who decides for whom -- */

function person(name, one, press) {
  const what = [words["kind_" + one.kind] ? t("kind_" + one.kind) : "",
    words["guardian_" + one.status] ? t("guardian_" + one.status) : ""];
  return h("li", {class: "item"}, h("p", null, h("strong", null, name)),
    h("p", {class: "quiet"}, what.filter(Boolean).join(t("comma"))), press);
}

function people(heading, list) {
  return [h("h3", null, heading), list.length === 0
    ? h("p", {class: "quiet"}, t("none")) : h("ul", null, ...list)];
}

function wardButton(one) {
  return one.status === "active"
    ? button(t("open_ward", {name: nameOf(one.ward)}),
      () => go({view: "centre", ward: one.ward}))
    : null;
}

function guardianship(guardians, wards) {
  return h("section", {class: "card"}, h("h2", null, t("people_title")),
    ...people(t("guardians"),
      guardians.map(one => person(one.guardian, one, null))),
    ...people(t("wards"),
      wards.map(one => person(nameOf(one.ward), one, wardButton(one)))));
}

/* -- requests -- */

async function download(request) {
  const content = await api("GET",
    "requests/" + encodeURIComponent(request.id) + "/export");
  const file = new Blob([JSON.stringify(content)], {type: "application/json"});
  const link = h("a", {href: URL.createObjectURL(file),
    download: "linli-" + request.id + ".json"});
  document.body.append(link);
  link.click();
  link.remove();
  URL.revokeObjectURL(link.href);
}

function drawRequest(request) {
  const alert = alertBox();
  const box = h("li", {class: "item"},
    h("p", null, h("strong", null, t("request_" + request.kind))),
    h("p", {class: "quiet"}, moment(request.at)),
    h("p", {class: "state"}, t("request_state_" + request.state)));
  if (request.state === "open" && request.due_at)
    box.append(h("p", {class: "quiet"},
      t("request_due", {date: day(request.due_at)})));
  if (request.state === "done" && request.kind === "export") {
    const press = button(t("download"), () =>
      act([press], alert, () => download(request), () =>
        press.removeAttribute("aria-disabled")));
    box.append(alert, press);
  }
  return box;
}

/* A button that asks for something; `sure` lies between for what cannot be
 * undone. */
function ask(kind, list) {
  const alert = alertBox();
  const told = h("p", {role: "status"});
  const send = press => act([press], alert,
    key => api("POST", "requests", null, {kind}, key), request => {
      told.textContent = t("request_sent");
      press.removeAttribute("aria-disabled");
      list.prepend(drawRequest(request));
      sure.hidden = true;
      press.hidden = false;
    });
  const first = button(t("ask_" + kind), () => {
    if (kind !== "erase") {
      send(first);
      return;
    }
    sure.hidden = false;
    first.hidden = true;
    sure.querySelector("button").focus();
  });
  const no = () => {
    sure.hidden = true;
    first.hidden = false;
    first.focus();
  };
  const yes = button(t("erase_yes"), () => send(yes));
  const sure = h("div", {role: "group", "aria-label": t("ask_erase")},
    h("p", null, t("erase_sure")),
    h("div", {class: "choice"}, button(t("erase_no"), no), yes));
  sure.hidden = true;
  return h("div", {class: "item"}, h("p", null, t("ask_" + kind + "_text")),
    told, alert, first, sure);
}

function requestBox(requests) {
  const list = h("ul", null, ...requests.map(drawRequest));
  return h("section", {class: "card"}, h("h2", null, t("requests_title")),
    ask("export", list), ask("erase", list), list);
}

/* A part of the page: what does not come leaves the other parts as they are. */
async function part(title, paths, draw) {
  try {
    const lists = await Promise.all(paths.map(all));
    return await draw(...lists);
  } catch (trouble) {
    if (trouble.kind !== "problem")
      throw trouble;
    return h("section", {class: "card"}, h("h2", null, t(title)),
      h("p", {class: "notice alert", role: "alert"}, t("part_text")));
  }
}

async function drawPeople(guardians, wards) {
  for (const one of wards)
    await learnName(one.ward);
  return guardianship(guardians, wards);
}

export async function drawMore() {
  const parts = await Promise.all([
    part("block_title", ["objections"], objections =>
      blockSwitch(objections.some(one =>
        one.objection === "block" && !one.plugin))),
    part("people_title", app.ward ? ["guardians"] : ["guardians", "wards"],
      (guardians, wards) => drawPeople(guardians, wards || [])),
    part("requests_title", ["requests"], requestBox)]);
  show(h("h1", null, t("more_title")), tabs(), wardBar(), ...parts,
    backButton());
}
