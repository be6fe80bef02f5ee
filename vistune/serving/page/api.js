// The server, as the page asks it. An answer is a stream of pieces; stopping it closes the connection, which frees its place.

export class Unanswered extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

function headers(key) {
  return { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
}

async function call(path, key, body, signal) {
  let reply;
  try {
    reply = await fetch(path, { method: body ? "POST" : "GET", headers: headers(key), body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unanswered("The server does not answer. What you wrote is still here: start it again and ask once more.");
  }
  if (reply.ok) return reply;
  const value = await reply.json().catch(() => null);
  throw new Unanswered(value?.error?.message ?? `The server answered ${reply.status}.`, value?.error?.code);
}

export async function models(key) {
  return (await (await call("/v1/models", key)).json()).data;
}

export async function settings() {
  return (await call("/settings")).json();
}

export async function vote(key, body) {
  return (await call("/votes", key, body)).json();
}

// Calls `say(text)` for every piece; resolves to { text, reason, found, usage }.
export async function ask(key, body, say, signal) {
  const reply = await call("/v1/chat/completions", key, { ...body, stream: true, stream_options: { include_usage: true } }, signal);
  const whole = { text: "", reason: null, found: {}, usage: null };
  for await (const event of events(reply.body)) {
    if (event.error) throw new Unanswered(event.error.message, event.error.code);
    if (event.usage) whole.usage = event.usage;
    const choice = event.choices[0];
    if (!choice) continue;
    if (choice.delta.content) {
      whole.text += choice.delta.content;
      say(whole.text);
    }
    if (choice.delta.vistune) whole.found = choice.delta.vistune;
    if (choice.finish_reason) whole.reason = choice.finish_reason;
  }
  return whole;
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const parts = buffer.split("\n\n");
    buffer = parts.pop();
    for (const part of parts) {
      const data = part.replace(/^data: /, "");
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}
