/* Bills and plans: what a resident is subscribed to, what this period costs so
 * far and why, the prices, the cap and who set it, and the bills there were. */
import {act, alertBox} from "./acts.js";
import {button, day, h, moment, said, show, speakButton, t} from "./dom.js";
import {api, app, backButton, go, showTrouble} from "./page.js";
import {chargeName, count, dayOf, isOwn, lineWords, money, priceOf, span}
  from "./bill_words.js";

/* Fen that a cap can be set to. */
const CAPS = [1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000];

/* -- lines -- */

/* What a line is made of, day by day, once it is asked for. */
function daysOf(sub, line) {
  const alert = alertBox();
  const list = h("ul", {class: "days"});
  const press = button(t("see_days"), () => act([press], alert,
    () => api("GET", "subscriptions/" + sub.id + "/days", [
      ["meter", line.meter], ["from", line.period.from],
      ["to", line.period.to]]),
    found => {
      press.hidden = true;
      list.append(...found.items.map(one => h("li", null,
        t("day_line", {day: dayOf(one.day), n: count(one.quantity),
          records: one.records}))));
      if (found.items.length === 0)
        list.append(h("li", null, t("no_days")));
      list.setAttribute("tabindex", "-1");
      list.focus();
    }), {"aria-label": t("see_days_of", {name: line.name})});
  return h("div", null, alert, press, list);
}

function drawLine(sub, line, info, days) {
  const [name, how] = lineWords(line, info);
  return h("li", {class: "item"},
    h("p", {class: "line"}, h("strong", null, name),
      h("span", {class: "sum"}, money(line.amount_fen))),
    h("p", {class: "quiet"}, how),
    line.adjusts ? h("p", {class: "quiet"}, t("line_adjusts")) : null,
    line.meter ? h("p", {class: "quiet"},
      t(isOwn(line.meter) ? "vendors_word" : "hosts_word")) : null,
    days && line.meter ? daysOf(sub, Object.assign({name}, line)) : null);
}

/* Several lines of one meter have their days once, at the last. */
function drawLines(sub, lines, info) {
  const last = new Map(lines.map((line, i) => [line.meter, i]));
  return h("ul", null, ...lines.map((line, i) =>
    drawLine(sub, line, info, last.get(line.meter) === i)));
}

/* What of it the reader pays, where others pay too. */
function yourPart(sub, payers) {
  const place = sub.payers.findIndex(one => one.you);
  return sub.payers.length > 1 && place >= 0 && payers && payers[place]
    ? h("p", null, t("your_part", {price: money(payers[place].fen)})) : null;
}

/* -- the period so far -- */

function drawSoFar(sub, info, preview) {
  return h("div", {class: "item"}, h("h3", null, t("so_far")),
    h("p", null, span(sub.period)),
    h("p", {class: "total"}, money(preview.total_fen)),
    yourPart(sub, preview.payers),
    preview.tax_fen ? h("p", {class: "quiet"},
      t("tax_in_it", {tax: money(preview.tax_fen)})) : null,
    h("p", {class: "quiet"}, t("so_far_at", {time: moment(preview.at)})),
    preview.lines.length > 0 ? drawLines(sub, preview.lines, info)
      : h("p", null, t("nothing_used")));
}

/* -- the prices -- */

function drawPrices(info) {
  const box = h("details", null, h("summary", null, t("prices")));
  for (const charge of info.plan.charges || [])
    box.append(priceOf(charge, info));
  for (const one of info.plan.discounts || [])
    box.append(h("div", {class: "item"},
      h("h4", null, said(info.words[one.id]) || t("discount_plain")),
      h("p", null, one.percent_bp !== undefined
        ? t("discount_pct", {rate: one.percent_bp / 100})
        : t("discount_fen", {price: money(one.amount_fen)}))));
  for (const limit of info.plan.limits || [])
    box.append(h("div", {class: "item"},
      h("h4", null, chargeName("", limit.meter, info)),
      h("p", null, t(limit.kind === "hard" ? "limit_hard" : "limit_soft",
        {n: count(limit.max)}))));
  return box;
}

/* -- the cap -- */

function capText(fen) {
  return fen === null ? t("cap_none") : t("cap_is", {price: money(fen)});
}

function whoSet(fen, info) {
  const set = info.cap_set;
  return set && fen !== null ? h("p", {class: "quiet"},
    t("cap_by_" + set.by, {date: moment(set.at)})) : null;
}

/* The same press for each: nothing is chosen beforehand. */
function capButton(sub, text, fen, buttons, alert, attributes) {
  const press = button(text, () => act(buttons, alert,
    key => api("POST", "subscriptions/" + sub.id + "/cap", null, {fen}, key),
    () => app.draw(t("cap_done"))), attributes);
  buttons.push(press);
  return press;
}

/* An operator has asked for more: yes and no take one press each. */
function drawAsked(sub, info, alert) {
  const buttons = [];
  const asked = sub.cap_asked.fen;
  const no = capButton(sub, t("cap_no"), sub.cap_fen, buttons, alert);
  const yes = capButton(sub, t("cap_yes"), asked, buttons, alert);
  return h("div", {class: "notice"},
    h("p", null, asked === null ? t("cap_asked_none")
      : t("cap_asked", {price: money(asked)})),
    info.cap_asked ? h("p", null,
      t("cap_asked_at", {date: moment(info.cap_asked.at)})) : null,
    h("p", null, t("cap_if_no", {cap: capText(sub.cap_fen)})),
    h("div", {class: "choice", role: "group", "aria-label": t("your_choice")},
      no, yes));
}

function drawChange(sub, alert) {
  const now = sub.cap_fen;
  const lower = CAPS.filter(fen => now === null ? fen <= 10000 : fen < now);
  const higher = now === null ? [] : CAPS.filter(fen => fen > now);
  const offered = lower.slice(-2).concat(higher.slice(0, 2));
  const buttons = [];
  const list = offered.map(fen => capButton(sub,
    t("cap_to", {price: money(fen)}), fen, buttons, alert));
  if (now !== null)
    list.push(capButton(sub, t("cap_to_none"), null, buttons, alert));
  return h("details", null, h("summary", null, t("cap_change")),
    h("p", null, t("cap_change_text")), h("div", {class: "actions"}, ...list));
}

function drawCap(sub, info) {
  const alert = alertBox();
  const box = h("div", {class: "item"}, h("h3", null, t("cap_title")),
    h("p", null, capText(sub.cap_fen)), whoSet(sub.cap_fen, info), alert);
  if (!sub.pays)
    box.append(h("p", {class: "quiet"}, t("cap_payer")));
  else
    box.append(sub.cap_asked ? drawAsked(sub, info, alert)
      : drawChange(sub, alert));
  return box;
}

/* -- one subscription -- */

function payersOf(sub) {
  return sub.payers.map(one => {
    const who = t(one.you ? one.kind === "household" ? "pays_household"
      : "pays_you" : "pays_" + one.kind);
    return sub.payers.length === 1 ? who
      : t("pays_part", {who, rate: one.bp / 100});
  }).join(t("comma"));
}

function drawHead(sub, info) {
  const lines = [t("plan_of", {plugin: said(info.plugin_name)}),
    t("sub_since", {date: day(sub.start)}),
    t("paid_by", {who: payersOf(sub)})];
  if (sub.state === "trial")
    lines.push(t("trial_until", {date: dayOf(sub.paid_from)}));
  if (sub.end)
    lines.push(t("sub_ends", {date: day(sub.end)}));
  return [h("h2", null, said(sub.title)),
    h("p", {class: "state"}, t("sub_" + sub.state)),
    ...lines.map(line => h("p", null, line))];
}

/* A card that does not come leaves the others as they are. */
async function drawSub(sub) {
  const path = "subscriptions/" + sub.id;
  const runs = sub.state !== "coming" && sub.state !== "ended";
  let info, preview;
  try {
    [info, preview] = await Promise.all([api("GET", path + "/plan"),
      sub.pays && runs ? api("GET", path + "/preview") : null]);
  } catch (trouble) {
    if (trouble.kind !== "problem")
      throw trouble;
    return h("section", {class: "card"}, h("h2", null, said(sub.title)),
      h("p", {class: "notice alert", role: "alert"}, t("part_text")));
  }
  return h("section", {class: "card"}, ...drawHead(sub, info),
    preview ? drawSoFar(sub, info, preview) : null,
    drawCap(sub, info), drawPrices(info));
}

/* -- the bills there were -- */

function billWords(bill) {
  const lines = [];
  if (bill.state === "paid")
    lines.push(t("bill_paid"));
  else if (bill.due_fen > 0)
    lines.push(t(bill.state === "overdue" ? "bill_overdue" : "bill_due",
      {price: money(bill.due_fen), date: dayOf(bill.due)}));
  else
    lines.push(t("bill_" + bill.state));
  if (bill.credited_fen > 0)
    lines.push(t("bill_credited", {price: money(bill.credited_fen)}));
  return lines.map(line => h("p", {class: "state"}, line));
}

/* Its lines, out of the frozen bill itself. */
function billLines(bill, subs) {
  const alert = alertBox();
  const place = h("div", null);
  const sub = subs.find(one => one.id === bill.subscription);
  const press = button(t("see_lines"), () => act([press], alert,
    async () => {
      const [whole, info] = await Promise.all([
        api("GET", "invoices/" + bill.id),
        api("GET", "subscriptions/" + bill.subscription + "/plan")]);
      const body = whole.invoice;
      return [body, {...info, bill: {plan: body.plan, words: whole.words}}];
    }, ([body, info]) => {
      press.hidden = true;
      place.append(drawLines(sub || {id: bill.subscription}, body.lines, info));
      place.setAttribute("tabindex", "-1");
      place.focus();
    }), {"aria-label": t("see_lines_of", {number: bill.number})});
  return h("div", null, alert, press, place);
}

function drawBill(bill, subs) {
  const sub = subs.find(one => one.id === bill.subscription);
  return h("li", {class: "item"}, h("h3", null, bill.number),
    sub ? h("p", null, said(sub.title)) : null,
    h("p", null, t("bill_of", {date: day(bill.final_at)})),
    h("p", {class: "total"}, money(bill.total_fen)), ...billWords(bill),
    billLines(bill, subs));
}

function drawBills(bills, subs) {
  return h("section", {class: "card"}, h("h2", null, t("bills_past")),
    bills.length === 0 ? h("p", null, t("no_bills"))
      : h("ul", null, ...bills.map(bill => drawBill(bill, subs))));
}

/* -- the page -- */

function summary(subs) {
  const live = subs.filter(sub => sub.state !== "ended").length;
  return live === 0 ? t("bills_none") : t("bills_some", {n: live});
}

/* `notice`: what was done just now. */
export async function drawBillsPage(notice) {
  show(h("h1", null, t("loading")));
  try {
    const [own, past] = await Promise.all([
      api("GET", "subscriptions"), api("GET", "invoices")]);
    const subs = own.items;
    const cards = await Promise.all(subs.map(drawSub));
    const told = h("p", null, summary(subs));
    show(h("h1", null, t("bills_title")),
      notice ? h("p", {class: "notice", role: "status"}, notice) : null,
      told, speakButton([told, ...cards]), ...cards,
      drawBills(past.items, subs), h("p", {class: "quiet"}, t("bills_wrong")),
      h("div", {class: "actions"},
        button(t("to_centre"), () => go({view: "centre"})), backButton()));
  } catch (trouble) {
    if (!trouble.kind)
      throw trouble;
    showTrouble(trouble, () => drawBillsPage());
  }
}
