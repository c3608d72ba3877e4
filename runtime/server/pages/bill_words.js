/* Money, quantities, prices and lines of a bill, in words. Sums are made by the
 * host alone; what is computed here is written beside a price, exactly. */
import {day, h, lang, said, t, words} from "./dom.js";

const MICRO = 1000000n;

/* -- numbers -- */

/* A decimal text in millionths. */
function micro(text) {
  const [whole, part = ""] = String(text).replace("-", "").split(".");
  const size = BigInt(whole) * MICRO + BigInt(part.padEnd(6, "0"));
  return String(text).startsWith("-") ? -size : size;
}

function group(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

export function count(text) {
  const [whole, part] = String(text).split(".");
  return group(whole) + (part ? "." + part : "");
}

/* Decimal text of fen, as yuan: at least two decimals, none cut off. */
export function money(fen) {
  const text = String(fen).replace("-", "");
  const [whole, part = ""] = text.split(".");
  const digits = whole.padStart(3, "0");
  const rest = (digits.slice(-2) + part).replace(/0+$/, "").padEnd(2, "0");
  return (String(fen).startsWith("-") ? "\u2212" : "") +
    t("yuan", {n: group(digits.slice(0, -2)) + "." + rest});
}

/* q units at p fen each, and a fee, as a host rounds them. */
function cost(quantity, price, flat) {
  const product = micro(quantity) * micro(price);
  const unit = MICRO * MICRO;
  return String((product + unit / 2n) / unit + BigInt(flat || 0));
}

function percent(bp) {
  return String(bp / 100);
}

/* Days of a span that ends before `to`. */
export function span(period) {
  const noon = text => Date.parse(text + "T12:00:00Z");
  return t("span", {from: day(noon(period.from)),
    to: day(noon(period.to) - 86400000)});
}

/* -- names -- */

export function isOwn(meter) {
  return Boolean(meter) && !meter.startsWith("linli.");
}

export function meterName(meter, info) {
  if (isOwn(meter))
    return said(info.own_meters[meter]) || t("own_meter");
  const name = "meter_" + meter.slice(6);
  return words[name] ? t(name) : t("host_meter");
}

/* `words`: those of the plan that it is of. */
export function chargeName(id, meter, info, words) {
  return said((words || info.words)[id]) || (meter ? meterName(meter, info)
    : t("charge_plain"));
}

/* What a line is: [its name, how it was made]. That of a bill is called what
 * its own plan called it. */
export function lineWords(line, info) {
  const values = {
    n: count(line.quantity || "0"), days: line.days, of: line.days_of,
    price: line.unit_fen ? money(line.unit_fen) : "",
    amount: line.amount_of_fen ? money(line.amount_of_fen) : "",
    rate: line.rate_bp === undefined ? "" : percent(line.rate_bp),
    tier: line.tier || 0};
  let name = "part_" + line.part;
  if (line.part === "fee" && line.days !== undefined &&
      line.days !== line.days_of)
    name = "part_fee_days";
  if ((line.part === "usage" || line.part === "unit") && line.unit_fen)
    name = line.tier ? "part_tier" : "part_times";
  const of = info.bill && (info.bill.words[line.plan || info.bill.plan] || {});
  return [chargeName(line.of, line.meter, info, of), t(name, values)];
}

/* -- the price list -- */

function tierRows(charge) {
  const rows = [];
  let from = "0";
  const money_of = charge.kind === "graduated_percentage";
  for (const [i, tier] of charge.tiers.entries()) {
    const end = money_of ? tier.up_to_fen : tier.up_to;
    const values = {tier: i + 1, from: money_of ? money(from) : count(from),
      to: end === null ? "" : money_of ? money(end) : count(end),
      price: money_of ? "" : money(tier.unit_fen),
      rate: money_of ? percent(tier.rate_bp) : "",
      flat: tier.flat_fen ? t("tier_flat", {price: money(tier.flat_fen)}) : ""};
    const kind = charge.kind === "volume" ? "tier_volume"
      : money_of ? "tier_pct" : "tier";
    rows.push(t(kind + (end === null ? "_open" : ""), values));
    from = end;
  }
  return rows;
}

/* Where the price of all of them changes at once. */
function cliffs(charge) {
  const lines = [];
  for (let i = 0; i + 1 < charge.tiers.length; i++) {
    const [tier, next] = [charge.tiers[i], charge.tiers[i + 1]];
    const more = String(BigInt(tier.up_to.split(".")[0]) + 1n);
    lines.push(t("cliff", {n: count(tier.up_to), more: count(more),
      before: money(cost(tier.up_to, tier.unit_fen, tier.flat_fen)),
      after: money(cost(more, next.unit_fen, next.flat_fen))}));
  }
  return lines;
}

function amounts(charge) {
  const lines = [t("price_pct", {rate: percent(charge.rate_bp)})];
  if (charge.fixed_fen)
    lines.push(t("price_fixed", {price: money(charge.fixed_fen)}));
  if (charge.free_events)
    lines.push(t("price_free_events", {n: count(charge.free_events)}));
  if (charge.free_amount_fen)
    lines.push(t("price_free_amount", {price: money(charge.free_amount_fen)}));
  return lines;
}

function priceLines(charge, plan) {
  switch (charge.kind) {
    case "flat":
      return [t((charge.per ? "price_seat_" : "price_flat_") + plan.interval,
        {price: money(charge.amount_fen)})];
    case "unit":
      return [t("price_unit", {price: money(charge.unit_fen)})];
    case "package":
      return [t("price_package", {n: count(charge.size),
        price: money(charge.package_fen)})];
    case "percentage":
      return amounts(charge);
    case "commit":
      return [t("price_commit", {n: count(charge.commit_qty),
        price: money(charge.unit_fen),
        rate: percent(charge.overage_bp === undefined ? 10000
          : charge.overage_bp)})];
    default:
      return tierRows(charge);
  }
}

/* One charge of the plan, as it is priced. */
export function priceOf(charge, info) {
  const lines = [];
  if (charge.included)
    lines.push(t("price_included", {n: count(charge.included)}));
  lines.push(...priceLines(charge, info.plan));
  if (charge.kind === "volume")
    lines.push(...cliffs(charge));
  if (charge.min_fen)
    lines.push(t("price_min", {price: money(charge.min_fen)}));
  if (charge.max_fen)
    lines.push(t("price_max", {price: money(charge.max_fen)}));
  return h("div", {class: "item"},
    h("h4", null, chargeName(charge.id, charge.meter, info)),
    ...lines.map(line => h("p", null, line)),
    charge.meter ? h("p", {class: "quiet"},
      t(isOwn(charge.meter) ? "vendors_word" : "hosts_word")) : null);
}

/* A day of the calendar, whatever the zone. */
export function dayOf(text) {
  return new Intl.DateTimeFormat(lang, {timeZone: "UTC", month: "long",
    day: "numeric"}).format(new Date(text + "T12:00:00Z"));
}
