// Prints as JSON what marked (GFM) finds in Markdown: node tasks.mjs TOOLS < MARKDOWN
// The text of each task and heading as it is read, and how many links and tags there are.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const entry = join(resolve(process.argv[2]), "node_modules/marked/lib/marked.esm.js");
const { marked } = await import(pathToFileURL(entry).href);
const found = { tasks: 0, done: 0, items: 0, headings: 0, links: 0, tags: 0 };
marked.walkTokens(marked.lexer(readFileSync(0, "utf8"), { gfm: true }), (token) => {
  if (token.type === "list_item") {
    found.items += 1;
    found.tasks += token.task ? 1 : 0;
    found.done += token.checked ? 1 : 0;
  }
  if (token.type === "heading") found.headings += 1;
  if (token.type === "link" || token.type === "image") found.links += 1;
  if (token.type === "html" && token.raw !== "<!-- -->") found.tags += 1;
});
console.log(JSON.stringify(found));
