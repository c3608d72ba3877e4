/* Making and changing what is seen. Text goes in as text, never as markup. */

export const words = JSON.parse(document.getElementById("words").textContent);
export const lang = document.documentElement.lang;
const zone = document.body.dataset.zone;

/* A text of words.json, its {names} filled in. */
export function t(name, values) {
  return words[name].replace(/\{(\w+)\}/g, (all, key) =>
    values && values[key] !== undefined ? String(values[key]) : all);
}

/* The reader's language of {"zh-CN": ..., "en": ...}. */
export function said(texts) {
  return texts && texts[lang] || "";
}

/* h("p", {class: "small"}, "text", node, null): an element. `on` in attributes
 * is what a press does. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name of Object.keys(attributes || {})) {
    const value = attributes[name];
    if (name === "on")
      element.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children)
    if (child !== null && child !== undefined)
      element.append(child);
  return element;
}

export function button(text, on, attributes) {
  return h("button", Object.assign({type: "button", on}, attributes), text);
}

/* Replaces what the page says and goes to its heading, so that who hears it
 * instead of seeing it knows. */
export function show(...nodes) {
  const main = document.getElementById("main");
  while (main.firstChild)
    main.removeChild(main.firstChild);
  for (const node of nodes)
    if (node)
      main.append(node);
  const heading = main.querySelector("h1");
  if (heading) {
    document.title = heading.textContent;
    heading.setAttribute("tabindex", "-1");
    heading.focus({preventScroll: true});
    window.scrollTo(0, 0);
  }
}

/* Tells who hears the page, without moving anybody. */
export function announce(text) {
  document.getElementById("said").textContent = text;
}

function format(ms, options) {
  return new Intl.DateTimeFormat(lang,
    Object.assign({timeZone: zone || undefined}, options)).format(new Date(ms));
}

export function day(when) {
  return format(typeof when === "string" ? Date.parse(when) : when,
    {year: "numeric", month: "long", day: "numeric"});
}

export function moment(when) {
  return format(Date.parse(when), {year: "numeric", month: "long",
    day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
}

/* -- reading aloud -- */

const speech = window.speechSynthesis;

/* A voice of the page's language; without one there is no button. */
function voice() {
  const own = lang.slice(0, 2);
  return speech ? speech.getVoices().find(v => v.lang.slice(0, 2) === own)
    : undefined;
}

export function hush() {
  if (speech)
    speech.cancel();
}

/* Reads aloud what the elements say, word for word; again stops it. */
export function speakButton(elements) {
  if (!speech)
    return null;
  const press = () => {
    if (made.dataset.speaking) {
      hush();
      return;
    }
    const text = new SpeechSynthesisUtterance(
      elements.map(element => element.innerText).join("\n"));
    text.voice = voice();
    text.lang = lang;
    text.rate = 0.9;
    text.onend = text.onerror = () => {
      delete made.dataset.speaking;
      made.textContent = t("speak");
    };
    hush();
    made.dataset.speaking = "1";
    made.textContent = t("speak_stop");
    speech.speak(text);
  };
  const made = button(t("speak"), press, {class: "speak"});
  made.hidden = !voice();
  speech.addEventListener("voiceschanged", () => {
    made.hidden = !voice();
  });
  return made;
}
