// Talks with the application that served this page. Everything a model or a tool wrote is set as text, never as markup.

const $ = (id) => document.getElementById(id);
const turns = $("turns");
const message = $("message");

let conversation = newConversation();
let answering = null; // the AbortController of the request under way
let ready = false;

function newConversation() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function setState(state) {
  $("state").dataset.state = state;
  $("state").textContent = state;
  $("send").hidden = state === "answering";
  $("stop").hidden = state !== "answering";
  turns.setAttribute("aria-busy", String(state === "answering"));
  showSend();
}

function showSend() {
  $("send").disabled = !ready || answering !== null || message.value.trim() === "";
}

// The model

async function loadModel() {
  for (;;) {
    try {
      const response = await fetch("api/model");
      if (response.ok) {
        showModel(await response.json());
        return;
      }
    } catch {
      // The application is still starting, or gone.
    }
    setState("unreachable");
    await new Promise((done) => setTimeout(done, 2000));
  }
}

function showModel(model) {
  const millions = model.parameters / 1e6;
  const size = millions < 1000 ? `${millions.toFixed(1)} M` : `${(millions / 1000).toFixed(1)} B`;
  $("model").textContent =
    `${model.name}, ${size} parameters, ${model.quantization}, context ${model.contextLength.toLocaleString("en")}`;
  message.maxLength = model.messageLimit;
  ready = true;
  setState("ready");
}

// The conversation

function addTurn(who, kind, text) {
  const turn = $("turn").content.cloneNode(true).firstElementChild;
  turn.classList.add(kind);
  turn.querySelector(".who").textContent = who;
  turn.querySelector(".text").textContent = text;
  turns.append(turn);
  return turn;
}

async function ask(text) {
  $("welcome").hidden = true;
  addTurn("You", "user", text);
  const turn = addTurn("Bloomery", "model-turn", "");
  turn.classList.add("writing");
  const request = new AbortController();
  answering = request;
  setState("answering");
  follow(true);
  let ended = false;
  try {
    const response = await fetch(`api/conversations/${conversation}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/problem+json" },
      body: JSON.stringify({ message: text }),
      signal: request.signal,
    });
    if (!response.ok) {
      const problem = await response.json().catch(() => ({}));
      throw new Error(problem.detail || `The application answered with status ${response.status}.`);
    }
    for await (const event of events(response.body)) {
      ended = show(turn, event) || ended;
    }
    if (!ended) {
      showProblem(turn, "The application closed the connection before the answer ended.");
    }
  } catch (failure) {
    if (request.signal.aborted) {
      showFigures(turn, ["stopped"]);
    } else {
      showProblem(turn, failure instanceof TypeError ? "The application cannot be reached." : failure.message);
    }
  } finally {
    turn.classList.remove("writing");
    if (answering === request) {
      answering = null;
      setState("ready");
    }
    follow(false);
  }
}

/** Shows one event; true if it was the last. */
function show(turn, event) {
  const stay = atBottom();
  const data = JSON.parse(event.data);
  const text = turn.querySelector(".text");
  switch (event.name) {
    case "delta":
      text.append(data.text);
      break;
    case "tool":
      text.before(toolUse(data));
      break;
    case "end":
      showFigures(turn, figures(data));
      break;
    case "failure":
      showProblem(turn, data.message);
      break;
  }
  if (stay) {
    follow(false);
  }
  return event.name === "end" || event.name === "failure";
}

function toolUse(use) {
  const notice = $("tool-use").content.cloneNode(true).firstElementChild;
  notice.querySelector(".call code").textContent = `${use.tool}(${plain(use.arguments)})`;
  notice.querySelector(".result code").textContent = plain(use.result);
  return notice;
}

/** JSON as a reader likes it: the outermost names without quotes and braces. */
function plain(json) {
  try {
    const value = JSON.parse(json);
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      return JSON.stringify(value);
    }
    return Object.entries(value).map(([name, part]) => `${name}: ${JSON.stringify(part)}`).join(", ");
  } catch {
    return json;
  }
}

function figures(end) {
  const shown = [];
  if (end.finishReason === "CANCELLED") {
    shown.push("stopped");
  } else if (end.finishReason === "LENGTH") {
    shown.push("cut off at the longest answer allowed");
  }
  if (end.completionTokens > 0) {
    shown.push(`${end.completionTokens} tokens`);
  }
  if (end.tokensPerSecond > 0) {
    shown.push(`${end.tokensPerSecond.toFixed(end.tokensPerSecond < 10 ? 1 : 0)} tokens/s`);
  }
  if (end.firstTokenMillis > 0) {
    const wait = end.firstTokenMillis;
    shown.push(`first token after ${wait < 1000 ? `${wait} ms` : `${(wait / 1000).toFixed(1)} s`}`);
  }
  return shown;
}

function showFigures(turn, parts) {
  const line = turn.querySelector(".figures");
  line.replaceChildren(...parts.map((part) => {
    const span = document.createElement("span");
    span.textContent = part;
    return span;
  }));
  line.hidden = parts.length === 0;
}

function showProblem(turn, sentence) {
  const line = turn.querySelector(".figures");
  line.textContent = sentence;
  line.classList.add("problem");
  line.hidden = false;
}

/** Server-sent events of a response body: names and data, comments skipped. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    rest += value;
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const event = { name: "message", data: "" };
      for (const line of rest.slice(0, end).split("\n")) {
        if (line.startsWith("event:")) {
          event.name = line.slice(6).trim();
        } else if (line.startsWith("data:")) {
          event.data += (event.data && "\n") + line.slice(5);
        }
      }
      rest = rest.slice(end + 2);
      if (event.data) {
        yield event;
      }
    }
  }
}

/** The application ends the answer and says how far it came; if it does not, the connection is cut, which ends it too. */
async function stop() {
  const request = answering;
  if (request === null) {
    return;
  }
  const cut = setTimeout(() => request.abort(), 2000);
  try {
    await fetch(`api/conversations/${conversation}/answer`, { method: "DELETE" });
  } catch {
    clearTimeout(cut);
    request.abort();
  }
}

function newChat() {
  const request = answering;
  answering = null;
  request?.abort();
  conversation = newConversation();
  turns.replaceChildren();
  $("welcome").hidden = false;
  if (ready) {
    setState("ready");
  }
  message.focus();
}

// Scrolling and typing

function atBottom() {
  const page = document.documentElement;
  return page.scrollHeight - page.clientHeight - page.scrollTop < 60;
}

function follow(smoothly) {
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: smoothly ? "smooth" : "instant" });
}

function send() {
  const text = message.value.trim();
  if (!ready || answering !== null || text === "") {
    return;
  }
  message.value = "";
  fit();
  ask(text);
}

/** As many lines as the message has; the style sheet says when it is enough. */
function fit() {
  message.style.height = "auto";
  message.style.height = `${message.scrollHeight}px`;
  showSend();
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
message.addEventListener("input", fit);
message.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    stop();
  }
});
$("stop").addEventListener("click", () => {
  stop();
  message.focus();
});
$("new-chat").addEventListener("click", newChat);
$("suggestions").addEventListener("click", (event) => {
  const suggestion = event.target.closest("button");
  if (suggestion && ready && answering === null) {
    ask(suggestion.textContent);
    message.focus();
  }
});

loadModel();
