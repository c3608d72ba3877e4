/* Changing something: one press, one act, one answer; and what is said when
 * the answer is no, or none. */
import {newKey} from "./api.js";
import {announce, button, h, t} from "./dom.js";
import {api, app, showTrouble, tellApp, toldOf} from "./page.js";

/* Sends an act and, if no answer came, offers to send the very same again. */
export async function act(buttons, alert, send, done) {
  const key = newKey();
  const attempt = async () => {
    if (buttons[0].getAttribute("aria-disabled") === "true")
      return;
    for (const one of buttons)
      one.setAttribute("aria-disabled", "true");
    announce(t("sending"));
    alert.hidden = true;
    try {
      done(await send(key));
    } catch (trouble) {
      if (!trouble.kind)
        throw trouble;
      for (const one of buttons)
        one.removeAttribute("aria-disabled");
      if (trouble.kind === "token")
        showTrouble(trouble, () => app.draw());
      else if (trouble.code === "consent/text-changed")
        app.draw(t("changed_text"));
      else
        tellTrouble(alert, trouble, attempt);
    }
  };
  await attempt();
}

function tellTrouble(alert, trouble, again) {
  const [title, text] = toldOf(trouble, true);
  while (alert.firstChild)
    alert.removeChild(alert.firstChild);
  alert.append(h("p", null, h("strong", null, title), " ", text));
  if (trouble.code)
    alert.append(h("p", {class: "small"},
      t("problem_code", {code: trouble.code})));
  if (trouble.kind === "offline")
    alert.append(button(t("again"), again));
  alert.hidden = false;
}

export function alertBox() {
  const box = h("div", {class: "notice alert", role: "alert"});
  box.hidden = true;
  return box;
}

export function withdraw(grant, buttons, alert, done) {
  return act(buttons, alert,
    key => api("DELETE", "consents/" + encodeURIComponent(grant), null, null,
      key),
    answer => {
      tellApp("withdrawn", grant);
      done(answer);
    });
}
