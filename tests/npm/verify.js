// Lets the published client verify deliveries: one JSON per line in, one verdict per line out.
// In: {secret, body, headers, at}; `at` is the receiver's hour in milliseconds. Run with NODE_PATH set to this folder.
"use strict";
const { Webhook } = require("standardwebhooks");

const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
for (const { secret, body, headers, at } of lines.map((line) => JSON.parse(line))) {
  Date.now = () => at;
  let verdict;
  try {
    verdict = { payload: new Webhook(secret).verify(body, headers) };
  } catch (refusal) {
    verdict = { refused: `${refusal.name}: ${refusal.message}` };
  }
  console.log(JSON.stringify(verdict));
}
