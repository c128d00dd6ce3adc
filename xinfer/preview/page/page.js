// The page's state and its talk with the server. What to show comes whole from the server's pure
// function; nothing here decides whether a field is visible or what is sent.
import { drawStage, SECTIONS } from "./draw.js";
import { drawPanel, TABS } from "./panel.js";

const $ = (id) => document.getElementById(id);
const EMPTY = { dialog: "add", edits: [], stored: null, pressed: false, parameters: [] };

export const page = {
  about: null,
  view: null,
  error: null,
  section: "Add model",
  tab: "Sent and received",
  file: null,
  focus: null, // the variable whose lines are marked
  selection: { profile: null, language: "en-US", theme: "light", abilities: [], model: null, ...EMPTY },
  trial: null,
};

let asked = 0;

/** Asks for the view of the present state and draws it, unless a later answer came first. */
async function refresh() {
  const number = ++asked;
  document.body.dataset.asked = number; // for whoever drives the page: it is settled once drawn
  remember();
  const response = await fetch("view", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(page.selection),
  });
  const answer = await response.json();
  if (number !== asked) return; // the user went on meanwhile
  if (!response.ok) return fail(answer.error);
  page.view = answer;
  draw();
  document.body.dataset.drawn = number;
}

function draw() {
  document.documentElement.dataset.theme = page.selection.theme;
  if (!page.view) return;
  drawStage($("stage"), page, act);
  drawPanel($("panel"), page, act);
  for (const button of $("sections").querySelectorAll("button"))
    button.setAttribute("aria-current", String(button.dataset.section === page.section));
  for (const tab of $("tabs").children) {
    const chosen = tab.dataset.tab === page.tab;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
}

/** Everything that a user can do. */
export const act = {
  edit(variable, value) {
    const { edits } = page.selection;
    const last = edits.at(-1);
    // Typing on is one edit; what a version of Dify does at each change stays the same.
    if (last && last[0] === variable) last[1] = value;
    else edits.push([variable, value]);
    refresh();
  },
  press() {
    page.selection.pressed = true;
    refresh().then(() => {
      const wrong = $("stage").querySelector('[aria-invalid="true"]');
      if (wrong) wrong.focus();
    });
  },
  parameter(name, value) {
    page.selection.parameters.push([name, value]);
    refresh();
  },
  model(name) {
    Object.assign(page.selection, { model: name, parameters: [] });
    refresh();
  },
  ability(name, on) {
    const abilities = new Set(page.selection.abilities);
    if (on) abilities.add(name);
    else abilities.delete(name);
    page.selection.abilities = [...abilities].sort();
    refresh();
  },
  state(changes) {
    Object.assign(page.selection, structuredClone(EMPTY), changes);
    refresh();
  },
  section(name) {
    page.section = name;
    const dialog = { "Add model": "add", Edit: "edit", Provider: "provider" }[name];
    if (dialog) act.state({ dialog, stored: dialog === "edit" ? sample() : null });
    else draw();
  },
  tab(name) {
    page.tab = name;
    draw();
  },
  file(name) {
    page.file = name;
    draw();
  },
  focus(variable) {
    if (page.focus === variable) return;
    page.focus = variable;
    drawPanel($("panel"), page, act);
  },
  /** Shows the field that a finding is about, and puts the cursor there. */
  find(schema, variable) {
    page.section = schema === "provider_credential_schema" ? "Provider" : "Add model";
    act.state({ dialog: page.section === "Provider" ? "provider" : "add" });
    page.focus = variable;
    setTimeout(() => {
      const row = $("stage").querySelector(`[data-variable="${CSS.escape(variable)}"]`);
      row?.querySelector("input, select")?.focus();
    }, 150);
  },
  async attempt(message) {
    const output = { text: "", note: "Starting the plugin …", busy: true };
    page.trial = output;
    draw();
    const response = await fetch("try", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ message, credentials: page.view.dialog?.received.values ?? {} }),
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const event = JSON.parse(line);
        if (event.text) output.text += event.text;
        if (event.note) output.note = event.note;
        if (event.error) output.error = event.error;
      }
      drawPanel($("panel"), page, act);
    }
    output.busy = false;
    drawPanel($("panel"), page, act);
  },
};

/** Makes a stored credential to edit: something for every field, secrets long enough to mask. */
function sample() {
  const stored = { __model_type: page.about.types[0] ?? "", __model_name: "my-model" };
  for (const field of page.about.fields.model_credential_schema)
    stored[field.variable] = `stored-${field.variable}-value`;
  return stored;
}

/** Keeps the state in the address, without what was typed into password inputs. */
function remember() {
  const secrets = new Set(
    (page.view?.dialog?.fields ?? []).filter((f) => f.control === "password").map((f) => f.variable),
  );
  const kept = {
    ...page.selection,
    section: page.section,
    edits: page.selection.edits.filter(([variable]) => !secrets.has(variable)),
  };
  history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(kept))}`);
}

function recall() {
  try {
    const { section, ...selection } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    Object.assign(page.selection, selection);
    if (SECTIONS.includes(section)) page.section = section;
  } catch {
    // No state in the address: the fresh one stays.
  }
}

function fail(text) {
  page.error = text;
  $("broken").textContent = text;
  $("broken").hidden = false;
  document.body.classList.add("stale");
  $("live").textContent = "the last save does not load";
}

async function load() {
  const status = await (await fetch("status")).json();
  if (status.about) {
    page.about = status.about;
    $("plugin").textContent = `${status.about.name} ${status.about.version}`;
    fill($("profile"), status.about.profiles, page.selection.profile);
    page.selection.profile = $("profile").value;
    fill($("language"), status.about.languages, page.selection.language);
    drawStates();
  }
  if (status.error) return fail(status.error);
  page.error = null;
  $("broken").hidden = true;
  document.body.classList.remove("stale");
  const count = status.about.findings.length;
  $("live").textContent = `live, ${new Date().toLocaleTimeString()}`;
  $("announce").textContent = `Reloaded, ${count} finding${count === 1 ? "" : "s"}`;
  await refresh();
}

function fill(select, options, chosen) {
  select.replaceChildren(
    ...Object.entries(options).map(([value, text]) => {
      const option = new Option(text, value, false, value === chosen);
      return option;
    }),
  );
}

function drawStates() {
  const states = [["Fresh", {}]];
  for (const type of page.about.types) states.push([type, { edits: [["__model_type", type]] }]);
  $("states").replaceChildren(
    ...states.map(([name, changes]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => {
        page.section = "Add model";
        act.state(structuredClone(changes));
      });
      return button;
    }),
  );
}

function drawNavigation() {
  $("sections").replaceChildren(
    ...SECTIONS.map((name) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "section";
      button.dataset.section = name;
      button.textContent = name;
      button.addEventListener("click", () => act.section(name));
      item.append(button);
      return item;
    }),
  );
  $("tabs").replaceChildren(
    ...TABS.map((name) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.className = "tab";
      tab.role = "tab";
      tab.dataset.tab = name;
      tab.textContent = name;
      tab.setAttribute("aria-controls", "panel");
      tab.addEventListener("click", () => act.tab(name));
      return tab;
    }),
  );
  $("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = [...$("tabs").children];
    const next = tabs.at((tabs.indexOf(document.activeElement) + step) % tabs.length);
    act.tab(next.dataset.tab);
    next.focus();
  });
  for (const name of ["profile", "language"])
    $(name).addEventListener("change", (event) => {
      page.selection[name] = event.target.value;
      refresh();
    });
  $("theme").addEventListener("click", () => {
    page.selection.theme = page.selection.theme === "dark" ? "light" : "dark";
    $("theme").setAttribute("aria-pressed", String(page.selection.theme === "dark"));
    refresh();
  });
}

/** `/` goes to the first field, `g` and a letter to a section. */
function listen() {
  let going = false;
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey) return;
    if (event.key === "/") {
      event.preventDefault();
      $("stage").querySelector("input, select")?.focus();
    } else if (going) {
      going = false;
      const name = SECTIONS.find((s) => s.toLowerCase().startsWith(event.key.toLowerCase()));
      if (name) act.section(name);
    } else going = event.key === "g";
  });
}

if (matchMedia("(prefers-color-scheme: dark)").matches) page.selection.theme = "dark";
recall();
$("theme").setAttribute("aria-pressed", String(page.selection.theme === "dark"));
drawNavigation();
listen();

// One load at a time: the answer to an earlier one must not overtake that to a later one.
let loading = Promise.resolve();
new EventSource("events").addEventListener("message", () => {
  loading = loading.then(load, load);
});
