// The client of @modelcontextprotocol/client (2.x), run through a script: node client.mjs legacy|auto PLAN

import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { answers, capabilities, changing, note, onfault, perform, plan } from "./script.mjs";

class ScriptedClient extends Client {
  callOptions = (options) => [options];
  protocol = () => this.getNegotiatedProtocolVersion();
}

const mode = process.argv.at(-2);
const client = new ScriptedClient({ name: "intercept-e2e", version: "1" }, { capabilities, versionNegotiation: { mode } });
for (const [method, answer] of Object.entries(answers)) client.setRequestHandler(method, answer);
client.fallbackNotificationHandler = async ({ method, params }) => note(method, params);
client.onerror = onfault;

await client.connect(new (changing(StdioClientTransport))({ command: plan.command, args: plan.args, cwd: plan.cwd, env: plan.env }));

let subscription;
const more = {
  discover: () => client.discover(),
  listen: async (_client, { toolsListChanged, resourceSubscriptions }) => {
    subscription = await client.listen({ toolsListChanged, resourceSubscriptions });
    return subscription.honoredFilter;
  },
  stop_listening: () => subscription.close(),
};
await perform(client, { kind: "client", era: client.getProtocolEra(), more });
await client.close();
