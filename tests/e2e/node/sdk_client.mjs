// The client of @modelcontextprotocol/sdk (1.x), run through a script: node sdk_client.mjs PLAN

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { answers, capabilities, changing, note, onfault, perform, plan } from "./script.mjs";

class ScriptedClient extends Client {
  callOptions = (options) => [CallToolResultSchema, options];
  protocol = () => this.transport.negotiated;
}

const client = new ScriptedClient({ name: "intercept-e2e", version: "1" }, { capabilities });
client.setRequestHandler(CreateMessageRequestSchema, answers["sampling/createMessage"]);
if (plan.elicits) client.setRequestHandler(ElicitRequestSchema, answers["elicitation/create"]);
client.setRequestHandler(ListRootsRequestSchema, answers["roots/list"]);
client.fallbackNotificationHandler = async ({ method, params }) => note(method, params);
client.onerror = onfault;

const transport = new (changing(StdioClientTransport))({ command: plan.command, args: plan.args, cwd: plan.cwd, env: plan.env });
transport.setProtocolVersion = (version) => (transport.negotiated = version);
await client.connect(transport);

let task;
const tasks = () => client.experimental.tasks;
const more = {
  start_task: async (_client, step) => {
    const params = { name: step.name, arguments: step.arguments, task: { ttl: 60_000 } };
    const created = await client.request({ method: "tools/call", params }, CreateTaskResultSchema);
    task = created.task.taskId;
    return created;
  },
  stream_task: async (_client, step) => {
    const seen = [];
    const options = { task: { ttl: 60_000 } };
    for await (const { type, error } of tasks().callToolStream({ name: step.name, arguments: step.arguments }, CallToolResultSchema, options))
      seen.push(error ? { type, error: { type: error.constructor.name, code: error.code ?? null, message: error.message } } : { type });
    return seen;
  },
  get_task: () => tasks().getTask(task),
  list_tasks: () => tasks().listTasks(),
  cancel_task: () => tasks().cancelTask(task),
  task_result: () => tasks().getTaskResult(task, CallToolResultSchema),
};
await perform(client, { kind: "sdk", era: "legacy", more });
await client.close();
