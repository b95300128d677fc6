// Looks at covers as a person does: one search over all sources, each hit with its pictures, from
// addresses of the service's own, and with what stands for them until they are there. `.ci/check-covers` runs it against a demonstration server; where
// COVERS_SCREENSHOT names a file, what was seen is kept there.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { thumbHashToAverageRGBA, thumbHashToDataURL } from "thumbhash";

const {
  OMNITRACK_URL: url,
  OMNITRACK_TOKEN: token,
  CHROMIUM: executablePath,
  COVERS_SCREENSHOT: screenshot,
} = process.env;

// Fetched by somebody, the small ones are known by their thumbhash from then on.
async function search() {
  const answer = await fetch(`${url}/v1/search?q=the`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  return answer.json();
}
const first = await search();
assert.deepEqual(first.sources.map(({ state }) => state), ["ok", "ok", "ok"]);
for (const { cover } of first.items) {
  if (cover) assert.equal((await fetch(`${url}${cover.small}`)).status, 200);
}
const shown = (await search()).items.filter(({ cover }) => cover);
assert.equal(new Set(shown.map(({ source }) => source)).size, 3, "covers of three sources");

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
page.setDefaultTimeout(15_000);

// Whom the browser asks, with what it sends along: nobody else, and no token.
const asked = [];
const faults = [];
page.on("request", (request) => {
  asked.push(request.url());
  if (!["data:", `${url}/`].some((start) => request.url().startsWith(start))) faults.push(`asked: ${request.url()}`);
  if ("authorization" in request.headers()) faults.push(`a token for ${request.url()}`);
});
page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
page.on("console", (line) => {
  if (["error", "warning"].includes(line.type())) faults.push(`console: ${line.text()}`);
});

// A page of the server's own origin, so that relative addresses lead where they should. It is made
// here and never asked for.
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const bytes = (base64) => Buffer.from(base64, "base64");
const figure = ({ title, source, kind, cover }) => `<figure>
  <img class="thumbhash" alt="" src="${thumbHashToDataURL(bytes(cover.thumbhash))}">${["small", "medium", "large"].map((size) => `<img class="${size}" alt="" src="${escape(cover[size])}">`).join("")}
  <figcaption>${escape(title)}<small>${kind}, ${source}</small></figcaption></figure>`;
const style = `body{margin:24px;font:15px/1.4 system-ui,sans-serif;background:#f4f5f7;color:#1d2129}
  main{display:grid;grid-template-columns:repeat(4,1fr);gap:20px}
  figure{margin:0;padding:12px;background:#fff;border-radius:10px;display:grid;grid-template-columns:repeat(4,1fr);gap:6px;align-content:start}
  img{width:100%;aspect-ratio:2/3;border-radius:4px} figcaption{grid-column:1/-1;font-weight:600}
  small{display:block;font-weight:400;color:#5b6472}`;
await page.route(`${url}/covers-look`, (route) =>
  route.fulfill({
    contentType: "text/html; charset=utf-8",
    body: `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Covers</title><style>${style}</style>
      <main>${shown.map(figure).join("")}</main></html>`,
  }),
);
await page.goto(`${url}/covers-look`, { waitUntil: "load" });

const pictures = await page.$$eval("img", (images) =>
  images.map(({ src, naturalWidth, naturalHeight, className }) => ({ src, naturalWidth, naturalHeight, className })),
);
assert.equal(pictures.length, 4 * shown.length);
for (const { src, naturalWidth, naturalHeight } of pictures) {
  assert.ok(naturalWidth > 0 && naturalHeight > naturalWidth, `${src}: ${naturalWidth} by ${naturalHeight}`);
}
for (let at = 1; at < pictures.length; at += 4) {
  const [small, medium, large] = pictures.slice(at, at + 3).map(({ naturalWidth }) => naturalWidth);
  assert.ok(small < medium && medium < large, `${pictures[at].src}: ${small}, ${medium}, ${large}`);
}
assert.ok(new Set(asked).size >= 3 * shown.length);

// What is drawn until a picture is there has the picture's colour.
const averages = await page.$$eval("img.small", (images) =>
  images.map((image) => {
    const { naturalWidth: width, naturalHeight: height } = image;
    const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const sums = [0, 0, 0, 0];
    data.forEach((part, index) => (sums[index % 4] += part));
    return sums.map((sum) => sum / (255 * width * height));
  }),
);
for (const [at, { title, cover }] of shown.entries()) {
  const { r, g, b, a } = thumbHashToAverageRGBA(bytes(cover.thumbhash));
  const apart = Math.max(...[r, g, b, a].map((part, index) => Math.abs(part - averages[at][index])));
  assert.ok(apart < 0.05, `${title}: ${[r, g, b, a]} instead of ${averages[at]}`);
}
if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });
assert.deepEqual(faults, []);
await browser.close();
console.log(`${pictures.length} pictures of ${shown.length} titles were seen in a browser`);
