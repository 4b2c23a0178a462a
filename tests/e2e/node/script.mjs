// Runs the steps of a plan on any TypeScript client and prints what its application sees, one JSON object a line.
// The plan and the steps are described in ../peers/scenarios.py.

import { Console } from "node:console";
import { readFileSync, writeFileSync } from "node:fs";

// The SDKs talk to their developers on the console; standard output is for the transcript alone.
globalThis.console = new Console(process.stderr);

export const plan = JSON.parse(readFileSync(process.argv.at(-1), "utf8"));

const print = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const seen = new Map();
let waiting = [];

/** Print one event and wake whoever awaits it. */
export function note(event, params) {
  print({ event, params: params ?? null });
  seen.set(event, (seen.get(event) ?? 0) + 1);
  const woken = waiting;
  waiting = [];
  for (const wake of woken) wake();
}

/** Resolve once `count` events of this kind have come since the start. */
export async function awaitEvent(event, count) {
  while ((seen.get(event) ?? 0) < count) await new Promise((resolve) => waiting.push(resolve));
}

export const onprogress = (progress) => note("progress", progress);

/**
 * Note what an SDK could not place. Both forget a progress callback when its call is answered, and when the last
 * progress and the answer are read in one piece, they settle the answer first: whether that progress reaches the
 * callback or this function depends on how the pipe cut the bytes, so both count as progress.
 */
export function onfault(error) {
  const [, late] = error.message.match(/^Received a progress notification for an unknown token: (.*)$/s) ?? [];
  if (!late) return note("fault", error.message);
  const { progressToken, ...progress } = JSON.parse(late).params;
  note("progress", progress);
}

const elicitationAnswers = [{ action: "accept", content: plan.elicited }, { action: "decline" }, { action: "cancel" }];
let elicitations = 0;

/** Answers to what a server may ask of the client, by method: the model, the user, the folders. */
export const answers = {
  "sampling/createMessage": (request) => {
    note("sampling/createMessage", request.params);
    const content = { type: "text", text: "Forty-two." };
    return { role: "assistant", content, model: "fixed-model", stopReason: "endTurn" };
  },
  "elicitation/create": async (request, context) => {
    question = context.requestId ?? context.mcpReq.id;
    note("elicitation/create", request.params);
    if (plan.answers) {
      const { never, leave, first, with: other, again, ...answer } = plan.answers[elicitations++];
      const signal = context.signal ?? context.mcpReq.signal;
      if (never) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      if (leave) process.exit(0);
      for (const step of first ?? []) {
        const done = verbs[step.do](asked, step);
        note("meanwhile", await Promise.resolve(done).catch((error) => ({ error: error.message })));
      }
      if (other || again) change = { other, again };
      return answer;
    }
    return elicitationAnswers[elicitations++ % elicitationAnswers.length];
  },
  "roots/list": () => {
    note("roots/list");
    return { roots: plan.roots };
  },
};

if (!plan.elicits) delete answers["elicitation/create"];

const elicitation = plan.elicits && { elicitation: { form: {}, url: {} } };
export const capabilities = { sampling: {}, ...elicitation, roots: { listChanged: true } };

/** The client whose user is asked, the id of the last question, and how its answer is to be changed on its way out. */
let asked, question, change;

/** What is sent for a message of the SDK: another one if it has an answer that is to be changed. */
function* outgoing(message) {
  const ours = message.result && String(message.id).startsWith("intercept-");
  if (!change || !(ours || message.params?.inputResponses?.intercept_approval)) return yield message;
  const { other, again } = change;
  change = undefined;
  const changed = structuredClone(message);
  if (other) (ours ? changed.result : changed.params).arguments = other;
  yield structuredClone(changed);
  if (!again) return;
  if (ours) changed.result = again;
  else {
    changed.id = "again";
    changed.params.inputResponses.intercept_approval = again;
  }
  yield changed;
}

/** The SDK's own transport, on which some messages are changed. */
export const changing = (Transport) =>
  class extends Transport {
    async send(message, ...more) {
      for (const each of outgoing(message)) await super.send(each, ...more);
    }
  };

/** Start a call, abandon it after its first progress, once its user is asked, or once it is on its way. */
async function callAndCancel(client, step) {
  const before = seen.get("elicitation/create") ?? 0;
  const abort = new AbortController();
  const options = { signal: abort.signal };
  if (step.after_progress) {
    options.onprogress = (progress) => {
      onprogress(progress);
      abort.abort("caller cancelled");
    };
  }
  const call = client.callTool({ name: step.name, arguments: step.arguments }, ...client.callOptions(options));
  if (step.after_question) awaitEvent("elicitation/create", before + 1).then(() => abort.abort("caller cancelled"));
  else if (!step.after_progress) setImmediate(() => abort.abort("caller cancelled"));
  return await call.then(
    (result) => result,
    (error) => (abort.signal.aborted ? "cancelled" : Promise.reject(error)),
  );
}

/** In 2026-07-28 a request says itself whether it wants log messages. */
const LOG_LEVEL = "io.modelcontextprotocol/logLevel";

const verbs = {
  list_tools: (client) => client.listTools(),
  list_resources: (client) => client.listResources(),
  list_resource_templates: (client) => client.listResourceTemplates(),
  list_prompts: (client) => client.listPrompts(),
  call: (client, step) =>
    client.callTool(
      { name: step.name, arguments: step.arguments, ...(step.log && { _meta: { [LOG_LEVEL]: "debug" } }) },
      ...client.callOptions(step.progress ? { onprogress } : {}),
    ),
  call_and_cancel: callAndCancel,
  call_until: async (client, step) => {
    for (;;) {
      const result = await client.callTool({ name: step.name, arguments: step.arguments });
      if (!!result._meta?.["intercept/decision"] === step.refused) return result;
    }
  },
  write: (_client, step) => writeFileSync(step.path, step.text),
  answer: (client, step) => client.transport.send({ jsonrpc: "2.0", id: question, result: step.answer }),
  read: (client, step) => client.readResource({ uri: step.uri }),
  get_prompt: (client, step) => client.getPrompt({ name: step.name, arguments: step.arguments }),
  complete: (client, step) => {
    const ref = step.prompt ? { type: "ref/prompt", name: step.prompt } : { type: "ref/resource", uri: step.uri };
    return client.complete({ ref, argument: step.argument, ...(step.context && { context: { arguments: step.context } }) });
  },
  subscribe: (client, step) => client.subscribeResource({ uri: step.uri }),
  unsubscribe: (client, step) => client.unsubscribeResource({ uri: step.uri }),
  ping: (client) => client.ping(),
  set_level: (client, step) => client.setLoggingLevel(step.level),
  roots_changed: (client) => client.sendRootsListChanged(),
  await: (_client, step) => awaitEvent(step.event, step.count),
};

/** Perform the steps that this client and its negotiated era can do. `more` adds verbs of one client alone. */
export async function perform(client, { kind, era, more }) {
  asked = client;
  const attempt = async (number, verb, act) => {
    try {
      print({ step: number, do: verb, result: (await act()) ?? null });
    } catch (error) {
      print({ step: number, do: verb, error: { type: error.constructor.name, code: error.code ?? null, message: error.message, data: error.data ?? null } });
    }
  };
  await attempt(0, "connect", () => ({
    protocol: client.protocol(),
    server: client.getServerVersion() ?? null,
    capabilities: client.getServerCapabilities() ?? null,
    instructions: client.getInstructions() ?? null,
  }));
  for (const [index, step] of plan.steps.entries()) {
    if (step.era && step.era !== era) continue;
    if (step.clients && !step.clients.includes(kind)) continue;
    const act = { ...verbs, ...more }[step.do];
    await attempt(index + 1, step.do, () => act(client, step));
  }
}
