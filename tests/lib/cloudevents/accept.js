// tests/lib/cloudevents/accept.js: reads events by the published SDK.
//
//   node accept.js SDK lines|batch FILE
//
// Prints what the SDK has understood, a list of events; exits with 1, and says
// why, if it refuses one.
"use strict";
const fs = require("fs");
const [sdk, mode, file] = process.argv.slice(2);
const { HTTP } = require(sdk);
const text = fs.readFileSync(file, "utf8");

const read = (type, body) => {
  const found = HTTP.toEvent({ headers: { "content-type": type }, body });
  return Array.isArray(found) ? found : [found];
};
try {
  const events = mode === "batch"
    ? read("application/cloudevents-batch+json", text)
    : text.split("\n").filter((line) => line !== "").flatMap((line) =>
      read("application/cloudevents+json", line));
  for (const event of events)
    event.validate();
  console.log(JSON.stringify(events));
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
