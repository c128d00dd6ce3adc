// The panel: what stands behind it.
import { make } from "./draw.js";

export const TABS = ["Sent and received", "Findings", "YAML", "Spec", "Try it"];

export function drawPanel(panel, page, act) {
  const draw = { "Sent and received": sent, Findings: findings, YAML: yaml, Spec: spec, "Try it": attempt };
  const top = panel.scrollTop;
  const focused = document.activeElement?.id;
  panel.replaceChildren(...draw[page.tab](page, act));
  panel.scrollTop = top;
  if (focused && panel.querySelector(`#${CSS.escape(focused)}`)) document.getElementById(focused).focus();
  const lit = panel.querySelector(".lit");
  if (lit) lit.scrollIntoView({ block: "nearest" });
}

function sent(page) {
  const dialog = page.view.dialog;
  if (!dialog) return [make("p", { textContent: "There is no form." })];
  const rows = dialog.fields.map((field) =>
    make(
      "tr",
      {},
      make("th", { textContent: field.variable, scope: "row" }),
      make("td", { textContent: quoted(field.sent) }),
      make("td", { textContent: field.index === null ? "" : quoted(field.received) }, note(field.note)),
    ),
  );
  const head = ["Field", "Browser sends", "Plugin receives"];
  const table = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...head.map((t) => make("th", { textContent: t, scope: "col" })))),
    make("tbody", {}, ...rows),
  );
  const refusal = dialog.received.error
    ? make("p", { className: "refused", textContent: `The server would refuse: ${dialog.received.error}` })
    : null;
  return [refusal, table].filter(Boolean);
}

const quoted = (text) => (text === null ? "nothing" : JSON.stringify(text));
const note = (text) => (text ? make("div", { className: "gap", textContent: text }) : null);

function findings(page, act) {
  const list = page.about.findings;
  if (!list.length) return [make("p", { textContent: "No findings." })];
  return list.map((finding) => {
    const field = fieldOf(finding.path, page);
    const className = finding.severity === "broken" ? "broken-severity" : finding.severity;
    const place = finding.file ? `${finding.file}:${finding.line}` : "";
    return make(
      "div",
      { className: "finding" },
      make(
        "div",
        {},
        make("span", { className: `${className} code-name`, textContent: `${finding.severity} ${finding.code}` }),
        " ",
        make("span", { className: "muted", textContent: place }),
      ),
      make("div", { textContent: finding.message }),
      make("div", { className: "muted", textContent: finding.fix }),
      field
        ? make("button", {
            type: "button",
            className: "link",
            textContent: `Show ${field.variable}`,
            on: { click: () => act.find(field.schema, field.variable) },
          })
        : null,
    );
  });
}

/** Finds the field that the path of a finding leads to. */
function fieldOf(path, page) {
  const match = /(provider_credential_schema|model_credential_schema)\.credential_form_schemas\[(\d+)\]/.exec(path);
  const field = match && page.about.fields[match[1]][Number(match[2])];
  return field ? { schema: match[1], variable: field.variable } : null;
}

function placed(page) {
  const schema = page.selection.dialog === "provider" ? "provider_credential_schema" : "model_credential_schema";
  return page.about.fields[schema].find((field) => field.variable === page.focus);
}

function yaml(page, act) {
  const names = Object.keys(page.about.files).filter((name) => !name.endsWith(".py"));
  const place = placed(page)?.yaml;
  const name = place?.file ?? page.file ?? names.at(-1);
  return [chooser(names, name, act), code(page.about.files[name] ?? "", place?.first, place?.last)];
}

function spec(page) {
  const name = Object.keys(page.about.files).find((file) => file.endsWith(".py"));
  if (!name) return [make("p", { textContent: "This plugin has no provider_spec.py." })];
  const place = placed(page)?.spec;
  return [make("p", { className: "muted", textContent: name }), code(page.about.files[name], place?.first, place?.last)];
}

function chooser(names, chosen, act) {
  return make(
    "select",
    { attrs: { "aria-label": "File" }, on: { change: (event) => act.file(event.target.value) } },
    ...names.map((name) => new Option(name, name, false, name === chosen)),
  );
}

function code(text, first, last) {
  const box = make("div", { className: "code", tabIndex: 0, role: "region", attrs: { "aria-label": "Source" } });
  text.split("\n").forEach((line, index) => {
    const number = index + 1;
    const lit = first && number >= first && number <= last;
    box.append(
      make("span", { className: lit ? "lit" : "" }, make("span", { className: "number", textContent: number }), line, "\n"),
    );
  });
  return box;
}

function attempt(page, act) {
  const trial = page.trial;
  const message = make("textarea", { id: "message", rows: 2, value: trial?.message ?? "Hello" });
  message.setAttribute("aria-label", "Message");
  const send = () => {
    act.attempt(message.value);
    page.trial.message = message.value;
  };
  const output = make("output", { textContent: trial?.text ?? "" });
  if (trial?.error) output.append(make("div", { className: "refused", textContent: trial.error }));
  return [
    make(
      "div",
      { className: "try" },
      make("p", {
        className: "muted",
        textContent: "Builds the plugin, starts it as Dify does and calls a language model with what the dialog sends.",
      }),
      message,
      make("button", {
        id: "send",
        type: "button",
        className: "button primary",
        textContent: trial?.busy ? "Running …" : "Send",
        disabled: Boolean(trial?.busy),
        on: { click: send },
      }),
      output,
      make("p", { className: "muted", textContent: trial?.note ?? "" }),
    ),
  ];
}
