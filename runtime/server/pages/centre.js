/* The resident's centre: who may use what, until when, and the way back, which
 * takes one press. */
import {alertBox, withdraw} from "./acts.js";
import {button, day, h, moment, said, show, t, words} from "./dom.js";
import {all, app, backButton, go, learnName, showTrouble, wardName}
  from "./page.js";
import {drawMore, drawReads} from "./rights.js";

export function tabs() {
  const nav = h("nav", {class: "tabs", "aria-label": t("sections")});
  for (const tab of ["grants", "reads", "more"])
    nav.append(button(t("tab_" + tab), () => go({view: "centre", tab}),
      {"aria-current": app.tab === tab ? "true" : null}));
  return nav;
}

/* Whose centre this is, and the way to one's own. */
export function wardBar() {
  return app.ward
    ? h("div", {class: "notice"},
      h("p", null, t("for_ward", {name: wardName()})),
      button(t("own_again"), () => go({view: "centre", ward: ""})))
    : null;
}

function fieldNames(grant) {
  return grant.fields.map(field => said(field.name) || field.id)
    .join(t("comma"));
}

function why(grant) {
  return h("p", {class: "quiet"},
    t(words["basis_" + grant.basis] ? "basis_" + grant.basis : "basis_plain"));
}

function history(grant) {
  const lines = [];
  if (grant.granted_at)
    lines.push(t("since", {date: day(grant.granted_at)}));
  if (grant.expires_at)
    lines.push(t("until", {date: day(grant.expires_at)}));
  if (grant.last_read_at)
    lines.push(t("last_read",
      {date: moment(grant.last_read_at), n: grant.reads}));
  else if (grant.reads === 0)
    lines.push(t("never_read"));
  if (grant.by === "guardian" || grant.by === "staff")
    lines.push(t("by_" + grant.by));
  return lines.map(line => h("p", {class: "quiet"}, line));
}

function drawGrant(grant) {
  const alert = alertBox();
  const box = h("div", {class: "item"},
    h("h3", null, fieldNames(grant)),
    h("p", null, said(grant.purpose_text)), ...history(grant));
  if (grant.state !== "live") {
    box.append(h("p", {class: "state"}, t("state_" + grant.state)));
    return box;
  }
  if (!grant.withdrawable) {
    box.append(why(grant));
    return box;
  }
  const effect = said(grant.effect);
  const name = {field: fieldNames(grant), plugin: said(grant.plugin_name)};
  const told = h("p", null, effect ? t("effect", {text: effect})
    : t("effect_plain"));
  const press = button(t("withdraw"), () =>
    withdraw(grant.id, [press], alert, answer => {
      grant.state = "withdrawn";
      const again = button(t("give_again"), () => go({view: "sheet",
        plugin: grant.plugin,
        items: grant.fields.map(f => f.id + ":" + grant.purpose)}));
      told.replaceWith(h("p", {class: "state", role: "status"},
        t("withdrawn_now", {date: moment(answer.withdrawn_at)})));
      press.replaceWith(again);
      again.focus();
    }), {"aria-label": t("withdraw_of", name)});
  box.append(told, alert, press);
  return box;
}

/* One card a plugin: [[name, id, grants], ...] in the order of the list. */
function byPlugin(grants) {
  const cards = new Map();
  for (const grant of grants) {
    if (!cards.has(grant.plugin))
      cards.set(grant.plugin, []);
    cards.get(grant.plugin).push(grant);
  }
  return cards;
}

function drawCards(grants, reads) {
  const cards = [];
  for (const [plugin, own] of byPlugin(grants))
    cards.push(h("section", {class: "card"},
      h("h2", null, said(own[0].plugin_name) || plugin),
      ...own.map(drawGrant),
      reads ? h("div", {class: "item"}, button(t("see_reads"),
        () => go({view: "centre", tab: "reads", plugin}))) : null));
  return cards;
}

function summary(live) {
  const plugins = new Set(live.map(grant => grant.plugin)).size;
  const fields = live.reduce((sum, grant) => sum + grant.fields.length, 0);
  return plugins === 0 ? t("summary_none") : t("summary", {plugins, fields});
}

async function drawGrants() {
  const grants = await all("consents");
  const live = grants.filter(grant => grant.state === "live");
  const ended = grants.filter(grant => grant.state !== "live");
  const shown = [h("h1", null, t("centre_title")), tabs(), wardBar()];
  if (grants.length === 0)
    shown.push(h("p", {class: "notice"}, t("empty_grants")));
  else
    shown.push(h("p", null, summary(live)), ...drawCards(live, true));
  if (ended.length > 0)
    shown.push(h("details", null,
      h("summary", null, t("ended", {n: ended.length})), ...drawCards(ended, false)));
  show(...shown, h("div", {class: "actions"}, app.ward ? null
    : button(t("to_bills"), () => go({view: "bills"})), backButton()));
}

export async function drawCentre() {
  show(h("h1", null, t("loading")));
  try {
    await learnName(app.ward);
    if (app.tab === "reads")
      await drawReads();
    else if (app.tab === "more")
      await drawMore();
    else
      await drawGrants();
  } catch (trouble) {
    if (!trouble.kind)
      throw trouble;
    showTrouble(trouble, drawCentre);
  }
}
