// Offers a stdio MCP server over Streamable HTTP, because the conformance suite speaks only HTTP.
//
//     node bridge.mjs COMMAND [ARGUMENT...]
//
// Prints its URL as one line, starts COMMAND once for each session, relays messages unread in both directions, and
// ends with all its processes when its stdin closes.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(new URL("../node/", import.meta.url));
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
const { StreamableHTTPServerTransport } = require("@modelcontextprotocol/sdk/server/streamableHttp.js");

const [command, ...args] = process.argv.slice(2);
const sessions = new Map();
const running = new Set();
const complain = (error) => console.error(`bridge: ${error.message}`);

async function openSession() {
  const stdio = new StdioClientTransport({ command, args, env: process.env });
  const http = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, { stdio, http }),
  });
  // A pipe does not say to which request a server's own message belongs, and the stream for messages that belong to
  // none may not be open yet: they take the stream of the newest request that waits for its answer.
  const waiting = new Set();
  http.onmessage = (message) => {
    if ("method" in message && "id" in message) waiting.add(message.id);
    stdio.send(message).catch(complain);
  };
  stdio.onmessage = (message) => {
    const relatedRequestId = [...waiting].at(-1);
    if (!("method" in message)) waiting.delete(message.id);
    http.send(message, { relatedRequestId }).catch(complain);
  };
  stdio.onclose = async () => {
    running.delete(stdio);
    sessions.delete(http.sessionId);
    // Without an answer the suite would wait a minute for each of these.
    const error = { code: -32000, message: "the server ended" };
    for (const id of waiting) await http.send({ jsonrpc: "2.0", id, error }).catch(complain);
    await http.close();
  };
  http.onerror = complain;
  stdio.onerror = complain;
  running.add(stdio);
  await stdio.start();
  return { stdio, http };
}

const server = createServer(async (request, response) => {
  const { host, origin, "mcp-session-id": id } = request.headers;
  if (host !== authority || (origin ?? `http://${authority}`) !== `http://${authority}`) {
    response.writeHead(403).end();
    return;
  }
  const session = id === undefined ? await openSession() : sessions.get(id);
  if (session === undefined) {
    response.writeHead(404).end();
    return;
  }
  // The suite's client never deletes its session; closing the stream for unrelated messages is how it says goodbye.
  if (request.method === "GET") response.on("close", () => session.stdio.close().catch(complain));
  await session.http.handleRequest(request, response);
});

await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const authority = `127.0.0.1:${server.address().port}`;
console.log(`http://${authority}/mcp`);

process.stdin.resume().on("end", async () => {
  await Promise.all([...running].map((stdio) => stdio.close()));
  process.exit();
});
