/* The consent sheet: one thing at a time, said in full, then yes or no. Each
 * decision is an act of its own; nothing is chosen beforehand, and yes takes
 * as many presses as no. */
import {act, alertBox, withdraw} from "./acts.js";
import {button, day, h, moment, said, show, speakButton, t} from "./dom.js";
import {api, app, backButton, go, learnName, makeElder, showTrouble, tellApp,
  wardName} from "./page.js";

const DAY_MS = 86400000;

function byConsent(item) {
  return item.basis === "consent" || item.basis === "separate_consent";
}

/* What may be asked of its own accord: not what is settled, nor what was
 * refused a short while ago. */
function isOpen(item) {
  return byConsent(item) && item.state !== "granted" && item.may_ask;
}

/* A text that did not arrive can be agreed to by nobody. */
function isComplete(item) {
  return Boolean(said(item.field_name) && said(item.purpose_text) &&
    said(item.why) && said(item.without) && (item.once || item.days > 0));
}

/* -- what an item says -- */

function who(asks) {
  const lines = [h("strong", null, said(asks.plugin_name))];
  if (asks.vendor)
    lines.push(h("p", null, t("vendor", {vendor: asks.vendor})));
  lines.push(h("p", null, asks.relation === "provide" && asks.recipient
    ? t("provide", asks.recipient) : t("entrust")));
  return lines;
}

function howLong(item) {
  return item.once ? t("once") : t("days",
    {days: item.days, date: day(Date.now() + item.days * DAY_MS)});
}

function explanation(asks, item) {
  const rows = [
    ["who", who(asks)],
    ["what", [h("strong", null, said(item.field_name)),
      h("p", null, t("class_" + item.class))]],
    ["why", [h("strong", null, said(item.purpose_text)),
      h("p", null, said(item.why))]],
    ["long", [h("p", null, howLong(item))]],
    ["if_not", [h("p", null, said(item.without)),
      h("p", null, t(item.required ? "is_required" : "is_optional"))]],
  ];
  const list = h("dl", null);
  for (const [name, lines] of rows)
    list.append(h("dt", null, t(name)), h("dd", null, ...lines));
  return h("section", {class: "card say"}, list);
}

function title(asks, item) {
  const values = {plugin: said(asks.plugin_name),
    field: said(item.field_name), name: wardName()};
  return h("h1", {class: "say"}, t(app.ward ? "wants_ward" : "wants", values));
}

function wardLine() {
  return app.ward
    ? h("p", {class: "notice say"}, t("for_ward", {name: wardName()})) : null;
}

/* -- deciding -- */

/* Decides one item: true for yes. */
function decide(sheet, item, yes, buttons, alert) {
  const asked = {plugin: sheet.asks.plugin, field: item.field,
    purpose: item.purpose, text_version: sheet.asks.text_version};
  if (yes && item.once)
    asked.once = true;
  act(buttons, alert,
    key => api("POST", yes ? "consents" : "consents/refuse", null, asked, key),
    receipt => {
      item.state = yes ? "granted" : "refused";
      item.receipt = receipt;
      item.grant = yes ? receipt.id : null;
      tellApp(item.state, item.grant);
      next(sheet);
    });
}

/* -- screens -- */

function doneLine(sheet) {
  const before = sheet.last;
  return before ? h("p", {class: "notice", role: "status"},
    t("decided_line",
      {field: said(before.field_name), state: t("result_" + before.state)})) : null;
}

function drawItem(sheet, item) {
  if (!isComplete(item)) {
    show(h("h1", null, title(sheet.asks, item).textContent),
      h("p", {class: "notice alert", role: "alert"}, t("text_unreadable")),
      h("div", {class: "actions"}, button(t("again"), () => drawSheet()),
        backButton()));
    return;
  }
  const text = explanation(sheet.asks, item);
  const alert = alertBox();
  const choice = h("div", {class: "choice", role: "group",
    "aria-label": t("your_choice")});
  const press = yes => () => decide(sheet, item, yes, buttons, alert);
  const buttons = [
    button(t("refuse"), press(false), {id: "refuse"}),
    button(t("agree"), press(true), {id: "agree"}),
  ];
  choice.append(...buttons);
  const read = [
    sheet.all > 1 ? h("p", {class: "step say"},
      t("step", {n: sheet.at, all: sheet.all})) : null,
    title(sheet.asks, item), wardLine()].filter(Boolean);
  show(sheet.notice ? h("p", {class: "notice"}, sheet.notice) : null,
    doneLine(sheet), ...read, speakButton(read.concat(text)), text, alert,
    choice);
  sheet.last = item;
}

/* An item on the last screen: what was decided, and the way back. */
function resultOf(sheet, item) {
  const alert = alertBox();
  const box = h("div", {class: "item"},
    h("h2", null, said(item.field_name)),
    h("p", null, said(item.purpose_text)),
    h("p", {class: "state"}, t("result_" + item.state)));
  const line = text => box.append(h("p", {class: "quiet"}, text));
  if (item.receipt && item.state === "granted") {
    const given = item.receipt.events[0];
    line(t("receipt", {id: item.receipt.receipt_id}));
    line(t("acted_at", {date: moment(given.event_time)}));
    if (given.valid_until)
      line(t("until", {date: day(given.valid_until)}));
  }
  if (item.receipt && item.state === "refused")
    line(t("refused_note"));
  if (!item.receipt && item.state === "refused" && item.ask_again_at)
    line(t("cooling", {date: day(item.ask_again_at)}));
  box.append(alert);
  if (item.state === "granted" && item.grant && sheet.asks.may_decide) {
    const one = button(t("withdraw"), () =>
      withdraw(item.grant, [one], alert, answer => {
        item.state = "withdrawn";
        const after = resultOf(sheet, item);
        after.insertBefore(h("p", {role: "status"},
          t("withdrawn_now", {date: moment(answer.withdrawn_at)})),
        after.querySelector(".alert"));
        box.replaceWith(after);
        after.querySelector("button").focus();
      }), {"aria-label": t("withdraw_of", {field: said(item.field_name),
        plugin: said(sheet.asks.plugin_name)})});
    box.append(one);
  } else if (sheet.asks.may_decide) {
    box.append(button(t("reconsider"), () => {
      sheet.queue = [item];
      sheet.all = 1;
      sheet.at = 0;
      sheet.last = null;
      next(sheet);
    }));
  }
  return box;
}

function others(sheet) {
  const items = sheet.asks.items.filter(item => !byConsent(item));
  if (items.length === 0)
    return null;
  const box = h("section", {class: "card"},
    h("h2", null, t("no_consent_heading")),
    h("p", null, t("no_consent_text")));
  for (const item of items)
    box.append(h("div", {class: "item"},
      h("h3", null, said(item.field_name)),
      h("p", null, said(item.purpose_text)),
      h("p", {class: "quiet"}, t("basis_" + item.basis))));
  return box;
}

function drawDone(sheet) {
  const asked = sheet.asks.items.filter(byConsent);
  const results = h("section", {class: "card"});
  for (const item of asked)
    results.append(resultOf(sheet, item));
  if (asked.length === 0)
    results.append(h("p", null, t("done_none")));
  const granted = asked.some(item => item.state === "granted");
  show(sheet.notice ? h("p", {class: "notice"}, sheet.notice) : null,
    h("h1", null, t("done_title")), wardLine(), results,
    granted ? h("p", null, t("way_back")) : null,
    others(sheet),
    h("div", {class: "actions"},
      button(t("to_centre"), () => go({view: "centre"})),
      backButton() || h("p", {class: "quiet"}, t("you_may_close"))));
}

/* Who may not decide reads all the same what is asked. */
function drawReading(sheet) {
  const parts = [];
  for (const item of sheet.asks.items.filter(byConsent))
    if (isComplete(item))
      parts.push(h("h2", null, said(item.field_name)),
        explanation(sheet.asks, item));
  show(h("h1", null, t("sheet_title",
    {plugin: said(sheet.asks.plugin_name)})),
  h("p", {class: "notice"}, t(sheet.asks.guardian_required
    ? "guardian_text" : "no_decide")),
  ...parts, others(sheet), h("div", {class: "actions"}, backButton()));
}

function next(sheet) {
  const item = sheet.queue.shift();
  sheet.at++;
  if (!item)
    drawDone(sheet);
  else
    drawItem(sheet, item);
  sheet.notice = "";
}

/* `notice`: what the reader is to know before. */
export async function drawSheet(notice) {
  show(h("h1", null, t("loading")));
  const query = [["plugin", app.plugin]];
  for (const item of app.items)
    query.push(["item", item]);
  let asks;
  try {
    await learnName(app.ward);
    asks = await api("GET", "asks", query);
  } catch (trouble) {
    if (!trouble.kind)
      throw trouble;
    showTrouble(trouble, () => drawSheet());
    return;
  }
  if (asks.elder)
    makeElder();
  const queue = asks.may_decide ? asks.items.filter(isOpen) : [];
  const sheet = {asks, queue, all: queue.length, at: 0, last: null,
    notice: typeof notice === "string" ? notice : ""};
  if (asks.may_decide)
    next(sheet);
  else
    drawReading(sheet);
}
