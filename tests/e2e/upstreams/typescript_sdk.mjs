// A server built with the TypeScript SDK 1.x, whose JSON.parse lets the last of several equal keys win.
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../node/package.json", import.meta.url));
const { Server } = require("@modelcontextprotocol/sdk/server/index.js");
const { StdioServerTransport } = require("@modelcontextprotocol/sdk/server/stdio.js");
const { CallToolRequestSchema, ListToolsRequestSchema } = require("@modelcontextprotocol/sdk/types.js");

const journal = process.argv[2];
const names = ["safe", "danger", "echo", "hold", "release"];
let free;
const released = new Promise((resolve) => { free = resolve; });

const server = new Server({ name: "typescript_sdk", version: "1" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => (
  { tools: names.map((name) => ({ name, inputSchema: { type: "object" } })) }));
server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
  const { name, arguments: given } = params;
  if (!names.includes(name)) return { content: [{ type: "text", text: "no such tool" }], isError: true };
  if (name === "hold") await released;
  appendFileSync(journal, JSON.stringify({ tool: name }) + "\n");
  if (name === "release") free();
  return { content: [{ type: "text", text: name === "echo" ? String(given?.text ?? "") : `${name} ran` }] };
});
await server.connect(new StdioServerTransport());
// The transport does not notice the end of its input.
process.stdin.on("end", () => process.exit(0));
