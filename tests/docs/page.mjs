// Opens /docs as a person does: gives the token, makes a call, and sees its answer. `.ci/check-docs`
// runs it against a demonstration server.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const { OMNITRACK_URL: url, OMNITRACK_TOKEN: token, CHROMIUM: executablePath } = process.env;
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage();
page.setDefaultTimeout(15_000);

// What the page complains about (its content policy included) and whom else it asks: nothing, nobody.
const faults = [];
page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
page.on("console", (line) => {
  if (["error", "warning"].includes(line.type())) faults.push(`console: ${line.text()}`);
});
page.on("request", (request) => {
  const own = [`${url}/`, "data:", "blob:"].some((start) => request.url().startsWith(start));
  if (!own) faults.push(`asked: ${request.url()}`);
});

await page.goto(`${url}/docs`);
await page.click("button.authorize");
await page.fill(".auth-container input", token);
await page.click(".auth-btn-wrapper button.authorize");
await page.click(".auth-btn-wrapper .btn-done");

/** Makes the call with what the page has filled in. */
async function call(tag, operation) {
  const block = page.locator(`#operations-${tag}-${operation}`);
  await block.locator(".opblock-summary").first().click();
  await block.locator(".try-out__btn").click();
  await block.locator("button.execute").click();
  const status = block.locator(".live-responses-table td.response-col_status:not(.col_header)");
  return (await status.first().innerText()).split("\n")[0];
}

assert.equal(await call("Account", "getAccount"), "200");
// The examples alone make a call that works.
assert.equal(await call("Library", "putLibraryEntry"), "201");

for (const plain of ["privacy", "account-deletion"]) {
  const answer = await page.goto(`${url}/${plain}`);
  assert.equal(answer?.status(), 200);
}
assert.deepEqual(faults, []);
await browser.close();
console.log("/docs was used from a browser");
