"""tests/lib/pages_rules.py: what a page for residents must be, by measure.

    rules.check(browser, "en", elder=True)

Looks at what Chromium has laid out and computed: contrast, sizes, targets,
languages, order of the keyboard, names. Each returns what is wrong, as lines.
"""

import re

import tap

# Everything that is seen, and a few ways to ask about it.
HELPERS = r"""
const seen = e => {
  const s = getComputedStyle(e), r = e.getBoundingClientRect();
  return s.visibility === "visible" && r.width > 1 && r.height > 1 &&
    !e.closest(".unseen") && !e.closest("noscript");
};
const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + " '" +
  e.textContent.trim().slice(0, 30) + "'";
const rgb = c => c.match(/[\d.]+/g).map(Number);
const light = c => {
  const [r, g, b] = rgb(c).slice(0, 3).map(v => {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = e => {
  for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1)
      return getComputedStyle(e).backgroundColor;
    if (c[3] !== 0)
      return "rgb(127,127,127)";
  }
  return "rgb(255,255,255)";
};
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
const texts = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const e = walk.currentNode.parentElement;
  if (walk.currentNode.textContent.trim() && e.tagName !== "SCRIPT" && seen(e))
    texts.push([walk.currentNode.textContent.trim(), e]);
}
const targets = Array.from(document.querySelectorAll(
  "a, button, summary, input, select, textarea, [tabindex='0']")).filter(seen);
"""

CONTRAST = HELPERS + r"""
return texts.map(([text, e]) => [text, ratio(getComputedStyle(e).color,
    ground(e)), getComputedStyle(e).opacity])
  .filter(([text, r, o]) => r < 4.5 || o !== "1");
"""
EDGES = HELPERS + r"""
return targets.map(e => [name(e), ratio(getComputedStyle(e).borderTopColor,
  ground(e.parentElement))]).filter(([n, r]) => r < 3);
"""
SIZES = HELPERS + r"""
return texts.map(([text, e]) => {
  const s = getComputedStyle(e);
  return [text, parseFloat(s.fontSize), parseFloat(s.lineHeight) /
    parseFloat(s.fontSize)];
}).filter(([text, size, line]) => size < arguments[0] - 0.01 || line < 1.3);
"""
TARGETS = HELPERS + r"""
return targets.map(e => {
  const r = e.getBoundingClientRect();
  return [name(e), r.width, r.height];
}).filter(([n, w, h]) => w < arguments[0] - 0.01 || h < arguments[0] - 0.01);
"""
OVERFLOW = HELPERS + r"""
const wide = document.documentElement.clientWidth;
return [[document.documentElement.scrollWidth, wide]].filter(([a, b]) => a > b)
  .concat(Array.from(document.body.querySelectorAll("*")).filter(seen)
    .filter(e => e.getBoundingClientRect().right > wide + 0.5 ||
      e.getBoundingClientRect().left < -0.5 || e.scrollWidth >
      e.clientWidth + 1 && getComputedStyle(e).display !== "inline").map(name));
"""
WORDS = HELPERS + r"""
return texts.map(([text]) => text).concat(targets.map(e =>
  e.getAttribute("aria-label") || ""), [document.title]);
"""
OUTLINE = HELPERS + r"""
const wrong = [];
const levels = Array.from(document.querySelectorAll("h1,h2,h3,h4")).filter(seen)
  .map(e => Number(e.tagName[1]));
if (levels.filter(l => l === 1).length !== 1 || levels[0] !== 1)
  wrong.push("headings " + levels);
levels.forEach((l, i) => {
  if (i > 0 && l > levels[i - 1] + 1) wrong.push("heading jumps " + levels);
});
for (const landmark of ["header", "main", "footer"])
  if (document.querySelectorAll(landmark).length !== 1)
    wrong.push("no one " + landmark);
if (!document.documentElement.lang) wrong.push("no lang");
if (!document.title) wrong.push("no title");
for (const id of Array.from(document.querySelectorAll("[id]")).map(e => e.id))
  if (document.querySelectorAll("#" + id).length !== 1) wrong.push("id " + id);
if (document.querySelector("[checked],[selected],[aria-checked=true]"))
  wrong.push("something is chosen beforehand");
for (const e of document.querySelectorAll("input,select,textarea,img"))
  wrong.push("unlabelled kind of control: " + name(e));
return wrong;
"""
MARK = HELPERS + r"""
targets.forEach((e, i) => e.dataset.order = i);
const first = document.createElement("span");
first.tabIndex = -1;
document.body.prepend(first);
first.focus();
first.remove();
window.scrollTo(0, 0);
return targets.map(name);
"""
FOCUSED = HELPERS + r"""
const e = document.activeElement, s = getComputedStyle(e);
if (!e.dataset.order) return null;
return [Number(e.dataset.order), s.outlineStyle, parseFloat(s.outlineWidth),
  ratio(s.outlineColor, ground(e.parentElement))];
"""
# Ids and names that a text of the other language may hold.
NAMES = re.compile(r"\b(rc-)?[0-9a-f-]{8,}\b|\brc-g\d+\b|\bg\d+\b|"
                   r"\b[a-z]+/[a-z-]+\b")


def contrast(b):
    """Text below 4.5 : 1, edges of what can be pressed below 3 : 1."""
    return ["%r has contrast %.2f (opacity %s)" % tuple(r)
            for r in b.run(CONTRAST)] + \
        ["the edge of %s has contrast %.2f" % tuple(r)
         for r in b.run(EDGES)]


def sizes(b, least):
    """Text that is smaller, or lines that stand too close."""
    return ["%r has %.1f px, line height %.2f" % tuple(r)
            for r in b.run(SIZES, least)]


def targets(b, least):
    """What can be pressed and is smaller than a thumb."""
    return ["%s is %.0f x %.0f" % tuple(r) for r in b.run(TARGETS, least)]


def overflow(b):
    """What stands out to the side."""
    return ["too wide: %s" % r for r in b.run(OVERFLOW)]


def languages(b, lang, names=()):
    """Words of the other language, names and ids left out."""
    wrong = []
    for text in b.run(WORDS):
        rest = NAMES.sub("", text)
        for name in names:
            rest = rest.replace(name, "")
        other = re.findall("[A-Za-z]+" if lang == "zh-CN" else
                           "[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
                           "\u3000-\u303f]+", rest)
        if other:
            wrong.append("%s on a page in %s: %r" % (other, lang, text))
    return wrong


def keyboard(b):
    """What the Tab key does not reach in order, or nobody sees it there."""
    names = b.run(MARK)
    wrong, order = [], []
    for _ in range(len(names) + 2):
        b.press("tab")
        at = b.run(FOCUSED)
        if at is None:
            break
        if at[0] in order:
            break
        order.append(at[0])
        if at[1] == "none" or at[2] < 2 or at[3] < 3:
            wrong.append("focus is not seen on %s: %r" % (names[at[0]], at))
    if order != list(range(len(names))):
        wrong.append("the keyboard reaches %r, not all %d of %r"
                     % (order, len(names), names))
    return wrong


def unnamed(b):
    """What can be pressed and has no name."""
    return ["%s without a name" % b.role(e)
            for e in b.find("main a, main button, main summary, header a")
            if not b.label(e) and b.command(
                "GET", "element/%s/displayed" % list(e.values())[0])]


def check(b, lang, size, elder, names=(), keys=True):
    """All of it, `keys` apart; fails with every line that is wrong."""
    wrong = contrast(b) + sizes(b, max(18, size)) + \
        targets(b, 60 if elder else 44) + overflow(b) + \
        languages(b, lang, names) + b.run(OUTLINE)
    if keys:
        wrong += unnamed(b) + keyboard(b)
    tap.equal(wrong, [], "%s, %d px%s" % (lang, size, ", elder" * elder))
