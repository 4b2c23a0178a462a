// Offers a stdio MCP server that speaks 2026-07-28 over stateless Streamable HTTP.
//
//     node bridge_modern.mjs COMMAND [ARGUMENT...]
//
// Prints its URL as one line, starts COMMAND once, relays messages in both directions, and ends with it when its
// stdin closes. Clients number their requests as they like, so each gets a number of ours on the pipe.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const VERSION = "io.modelcontextprotocol/protocolVersion";
const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";
const STATUS = { "-32600": 400, "-32601": 404, "-32602": 400, "-32020": 400, "-32021": 400, "-32022": 400 };

const child = spawn(process.argv[2], process.argv.slice(3), { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map();
let last = 0;
const toServer = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

function toClient({ response }, message) {
  const status = response.headersSent ? undefined : STATUS[message.error?.code];
  if (status !== undefined) {
    response.writeHead(status, { "content-type": "application/json" }).write(JSON.stringify(message));
    return;
  }
  if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`data: ${JSON.stringify(message)}\n\n`);
}

createInterface({ input: child.stdout }).on("line", (line) => {
  const message = JSON.parse(line);
  const meta = (message.params ?? message.result)?._meta;
  // What belongs to no subscription belongs to the newest request that waits for its answer.
  const number = message.id ?? meta?.[SUBSCRIPTION] ?? [...waiting.keys()].at(-1);
  const exchange = waiting.get(number);
  if (exchange === undefined) return;
  if (meta?.[SUBSCRIPTION] !== undefined) meta[SUBSCRIPTION] = exchange.id;
  if (message.id === undefined) {
    toClient(exchange, message);
    return;
  }
  waiting.delete(number);
  toClient(exchange, { ...message, id: exchange.id });
  exchange.response.end();
});

const server = createServer(async (request, response) => {
  const { host, origin } = request.headers;
  if (host !== authority || (origin ?? `http://${authority}`) !== `http://${authority}`) {
    response.writeHead(403).end();
    return;
  }
  if (request.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const message = JSON.parse(Buffer.concat(await request.toArray()));
  if (message.id === undefined) {
    toServer(message);
    response.writeHead(202).end();
    return;
  }
  const version = message.params?._meta?.[VERSION];
  if (version !== undefined && request.headers["mcp-protocol-version"] !== version) {
    const error = { code: -32020, message: "MCP-Protocol-Version does not match the request" };
    toClient({ response }, { jsonrpc: "2.0", id: message.id, error });
    response.end();
    return;
  }
  const number = ++last;
  waiting.set(number, { id: message.id, response });
  response.on("close", () => {
    if (waiting.delete(number)) toServer({ method: "notifications/cancelled", params: { requestId: number } });
  });
  toServer({ ...message, id: number });
});

await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const authority = `127.0.0.1:${server.address().port}`;
// A server may take the era of the first request for all that follow, and the suite also sends malformed ones.
const envelope = { [VERSION]: "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
toServer({ id: ++last, method: "server/discover", params: { _meta: envelope } });
console.log(`http://${authority}/mcp`);

process.stdin.resume().on("end", () => child.stdin.end());
child.on("exit", () => process.exit());
