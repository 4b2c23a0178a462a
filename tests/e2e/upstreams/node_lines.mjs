// A server without an SDK: readline, which splits at a bare carriage return too, and no checks at all.
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const journal = process.argv[2];
const held = [];

const answer = (id, text) => {
  if (id !== undefined) {
    process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } }) + "\n");
  }
};

const run = (id, name, given) => {
  if (name === "hold") return void held.push(id);
  appendFileSync(journal, JSON.stringify({ tool: name }) + "\n");
  if (name === "release") held.splice(0).forEach((waiting) => run(waiting, "held", {}));
  answer(id, name === "echo" ? String(given?.text ?? "") : `${name} ran`);
};

const serve = (document) => {
  if (Array.isArray(document)) return document.forEach(serve);
  // Copying by assignment is what lets a "__proto__" key take effect.
  const message = Object.assign({}, document);
  const params = Object.assign({}, message.params);
  if (message.method === "tools/call") return run(message.id, String(params.name), params.arguments);
  if (message.method === "initialize") {
    const result = { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "node_lines", version: "1" } };
    return process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id: message.id, result }) + "\n");
  }
  if (message.method !== undefined && message.id !== undefined) answer(message.id, "done");
};

createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  let document;
  try {
    document = JSON.parse(line);
  } catch {
    return;
  }
  serve(document);
});
