// Prints what @actions/core makes of annotations: node commands.mjs TOOLS < PROPERTIES > COMMANDS
// PROPERTIES: one JSON object per line: kind (error, warning, notice), message, and the properties
// by the names that @actions/core gives them. TOOLS is the directory with its node_modules.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const entry = join(resolve(process.argv[2]), "node_modules/@actions/core/lib/core.js");
const core = await import(pathToFileURL(entry).href);
const say = { error: core.error, warning: core.warning, notice: core.notice };
for await (const line of createInterface({ input: process.stdin })) {
  const { kind, message, ...properties } = JSON.parse(line);
  say[kind](message, properties);
}
