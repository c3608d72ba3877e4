/* Where the pages begin: the token, the address, the size of the text. */
import {hasToken, takeToken} from "./api.js";
import {h, hush, show, t} from "./dom.js";
import {app, backButton, readAddress, resize, setSize} from "./page.js";
import {drawBillsPage} from "./bills.js";
import {drawCentre} from "./centre.js";
import {drawSheet} from "./sheet.js";

/* `notice`: what the page is to say first. */
function draw(notice) {
  hush();
  if (!hasToken())
    show(h("h1", null, t("no_token_title")),
      h("p", {class: "notice"}, t("no_token_text")), backButton());
  else if (app.view === "sheet")
    drawSheet(notice);
  else if (app.view === "bills")
    drawBillsPage(notice);
  else
    drawCentre();
}

function begin() {
  takeToken();
  for (const [id, step] of [["smaller", -1], ["larger", 1]])
    document.getElementById(id).addEventListener("click", event => {
      event.preventDefault();
      resize(step);
    });
  setSize(Number(document.documentElement.dataset.size));
  if (document.body.dataset.view === "missing")
    return;
  app.draw = draw;
  readAddress();
  addEventListener("popstate", () => {
    readAddress();
    draw();
  });
  addEventListener("pagehide", hush);
  draw();
}

begin();
