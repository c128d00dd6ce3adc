// Drawing: elements from a view. Texts of a plugin are only ever set as text.

export const SECTIONS = ["Add model", "Edit", "Provider", "Cards", "Models", "Parameters", "Languages"];

/** Makes an element; `options` holds properties, `on` handlers and `attrs` attributes. */
export function make(tag, options = {}, ...children) {
  const { on = {}, attrs = {}, ...properties } = options;
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, handler] of Object.entries(on)) element.addEventListener(name, handler);
  for (const [name, value] of Object.entries(attrs))
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const language = (page) => (page.selection.language === "zh-Hans" ? "zh-Hans" : "en");

// The stage: what Dify shows.

export function drawStage(stage, page, act) {
  const draw = { Cards: cards, Models: models, Parameters: parameters, Languages: languages };
  const other = draw[page.section];
  if (other) return stage.replaceChildren(other(page, act));
  const dialog = page.view.dialog;
  if (!dialog) {
    const text = "The provider has no form for this dialog, so Dify does not open it.";
    return stage.replaceChildren(make("p", { className: "dialog" , textContent: text }));
  }
  drawDialog(stage, dialog, page, act);
}

/** Draws a dialog into the one that is there, so that the cursor stays where it is. */
function drawDialog(stage, dialog, page, act) {
  let box = stage.querySelector(".dialog.form");
  if (!box || box.dataset.section !== page.section) {
    box = make("section", { className: "dialog form", attrs: { "aria-labelledby": "dialog-title" } });
    box.dataset.section = page.section;
    box.append(
      make("h3", { id: "dialog-title" }),
      make("div", { className: "owner" }),
      make("div", { className: "rows" }),
      make("div", { className: "foot" }),
      make("div", { className: "after" }),
    );
    stage.replaceChildren(box, make("section", { className: "why" }));
  }
  box.lang = language(page);
  box.querySelector("h3").textContent = dialog.title;
  box.querySelector(".owner").replaceChildren(...owner(page));
  drawRows(box.querySelector(".rows"), dialog, page, act);
  box.querySelector(".foot").replaceChildren(...foot(dialog, act));
  box.querySelector(".after").replaceChildren(...outcome(dialog));
  stage.querySelector(".why").replaceChildren(...hidden(dialog, page, act));
}

function owner(page) {
  const card = page.view.provider_card;
  return [icon(card.icon, 24), make("span", { textContent: card.label })];
}

function icon(name, size) {
  if (!name) return make("span", { className: "badge", textContent: "no icon" });
  const src = `icons/${encodeURIComponent(name)}`;
  return make("img", { src, alt: "", width: size, height: size });
}

function drawRows(rows, dialog, page, act) {
  const visible = dialog.fields.filter((field) => field.visible);
  const present = new Map([...rows.children].map((row) => [row.dataset.key, row]));
  let before = null;
  for (const field of visible) {
    // Another control, or other choices, are another row; the same ones are brought up to date.
    const key = JSON.stringify([field.variable, field.control, field.options]);
    let row = present.get(key);
    if (!row) {
      row = makeRow(field, page, act);
      row.dataset.key = key;
    }
    present.delete(key);
    updateRow(row, field, page);
    const place = before ? before.nextSibling : rows.firstChild;
    if (row !== place) rows.insertBefore(row, place);
    before = row;
  }
  for (const row of present.values()) row.remove();
}

function makeRow(field, page, act) {
  const id = `field-${field.variable}`;
  const grouped = field.control === "radio";
  const row = make(grouped ? "fieldset" : "div", { className: "row flash" });
  row.dataset.variable = field.variable;
  row.append(
    make(grouped ? "legend" : "label", grouped ? {} : { htmlFor: id }),
    control(field, id, act),
    make("span", { className: "error", id: `${id}-error` }),
  );
  row.addEventListener("focusin", () => act.focus(field.variable));
  row.addEventListener("mouseenter", () => act.focus(field.variable));
  return row;
}

function control(field, id, act) {
  const send = (event) => act.edit(field.variable, event.target.value);
  switch (field.control) {
    case "select": {
      const select = make("select", { id, on: { change: send } });
      select.append(make("option", { value: "", textContent: field.placeholder }));
      for (const [value, text] of field.options) select.append(new Option(text, value));
      return select;
    }
    case "radio":
      return make(
        "div",
        { className: "choices" },
        ...field.options.map(([value, text]) =>
          make(
            "label",
            {},
            make("input", { type: "radio", name: field.variable, value, on: { change: send } }),
            text,
          ),
        ),
      );
    case "none":
      return make("span", {
        className: "muted",
        id,
        tabIndex: -1,
        textContent: "Dify draws no control for a switch.",
      });
    default: {
      const type = field.control === "password" ? "password" : "text";
      return make("input", { id, type, autocomplete: "off", on: { input: send } });
    }
  }
}

function updateRow(row, field, page) {
  const star = field.required
    ? make("span", { className: "star", textContent: "*", attrs: { "aria-hidden": "true" } })
    : null;
  row.firstChild.replaceChildren(...[field.label, star].filter(Boolean));
  row.classList.toggle("lit", page.focus === field.variable && page.tab !== "Sent and received");
  const error = row.querySelector(".error");
  error.textContent = field.error ?? "";
  const inputs = row.querySelectorAll("input, select, [tabindex]");
  for (const input of inputs) {
    if (input.type === "radio") input.checked = input.value === field.value;
    else if (input.value !== undefined && input.value !== field.value) input.value = field.value;
    if (input.type !== "radio" && "placeholder" in input) input.placeholder = field.placeholder;
    if (field.required && field.control !== "none") input.setAttribute("aria-required", "true");
    if (field.error) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", error.id);
    } else {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
  }
}

function foot(dialog, act) {
  const safe = /^https?:\/\//.test(dialog.help_url);
  const link = safe
    ? make("a", {
        href: dialog.help_url,
        target: "_blank",
        rel: "noopener noreferrer",
        textContent: `${dialog.help_text} ↗`,
      })
    : make("span", { className: "muted", textContent: dialog.help_text });
  const button = make("button", {
    type: "button",
    className: "button primary",
    textContent: dialog.button,
    disabled: !dialog.enabled,
    on: { click: act.press },
  });
  return [link, button];
}

function outcome(dialog) {
  if (!dialog.saved) return [];
  const { error, values } = dialog.received;
  const text = error ? `Dify's server refuses: ${error}` : "The plugin validates:";
  const box = make("div", { className: "outcome", role: "status", textContent: text });
  if (!error) box.append(" ", make("code", { textContent: JSON.stringify(values) }));
  return [box];
}

function hidden(dialog, page, act) {
  const fields = dialog.fields.filter((field) => !field.visible);
  if (!fields.length) return [];
  const list = make("ul");
  for (const field of fields) {
    const reasons = field.unmet.map(
      (unmet) => `${unmet.variable} is ${JSON.stringify(unmet.present ?? null)}, not "${unmet.wanted}"`,
    );
    const show = () => field.unmet.forEach((unmet) => act.edit(unmet.variable, unmet.wanted));
    list.append(
      make(
        "li",
        {},
        make("button", {
          type: "button",
          textContent: field.variable,
          title: "Set the values that show it",
          on: { click: show },
        }),
        ` because ${reasons.join(" and ")}`,
      ),
    );
  }
  return [make("h2", { textContent: `Hidden now: ${fields.length}` }), list];
}

function cards(page) {
  const { provider_card: provider, plugin_card: plugin } = page.view;
  const badges = provider.badges.map((text) => make("span", { className: "badge", textContent: text }));
  return make(
    "div",
    { className: "cards", lang: language(page) },
    make("h2", { textContent: "Model provider" }),
    make(
      "article",
      { className: "card" },
      make("div", { className: "head" }, icon(provider.icon, 24), make("span", { className: "name", textContent: provider.label })),
      make("div", { className: "badges" }, ...badges),
      make("p", { className: "muted", textContent: provider.hint }),
    ),
    make("h2", { textContent: "Plugin" }),
    make(
      "article",
      { className: "card" },
      make(
        "div",
        { className: "head" },
        icon(plugin.icon, 40),
        make(
          "div",
          {},
          make("span", { className: "name", textContent: plugin.label }),
          " ",
          make("span", { className: "badge", textContent: plugin.version }),
          " ",
          make("span", { className: "badge mark", textContent: plugin.category }),
          make("p", { className: "muted", textContent: `${plugin.author} / ${plugin.name}` }),
        ),
      ),
      make("p", { textContent: plugin.description }),
      make("p", {
        className: "muted",
        textContent: plugin.minimum_dify_version
          ? `Dify older than ${plugin.minimum_dify_version} shows a warning.`
          : "No minimum version of Dify is declared.",
      }),
    ),
  );
}

function models(page) {
  const rows = page.view.models.map((model) =>
    make(
      "div",
      { className: `model${model.selectable ? "" : " off"}`, title: model.note },
      make("span", { textContent: model.label }),
      ...model.badges.map((text) => make("span", { className: "badge", textContent: text })),
      ...model.capabilities.map((text) => make("span", { className: "badge mark", textContent: text })),
    ),
  );
  return make("div", { className: "models", lang: language(page) }, ...rows);
}

function parameters(page, act) {
  const panel = page.view.panel;
  const box = make("section", { className: "dialog", lang: language(page) });
  const language_models = page.view.models.filter((model) => model.badges[0] === "LLM");
  if (language_models.length > 1)
    box.append(
      make(
        "select",
        { attrs: { "aria-label": "Model" }, on: { change: (event) => act.model(event.target.value) } },
        ...language_models.map((m) => new Option(m.label, m.model, false, m.model === panel?.model)),
      ),
    );
  if (page.about.abilities.length) box.append(abilities(page, act));
  if (!panel) {
    box.append(make("p", { textContent: "No language model has parameters: Dify shows no panel." }));
    return box;
  }
  box.append(
    make("div", { className: "parameters" }, ...panel.parameters.map((p) => parameter(p, act))),
    make(
      "div",
      { className: "outcome" },
      "The app stores ",
      make("code", { textContent: JSON.stringify(panel.sent) }),
      make("p", { textContent: `Structured output: ${panel.structured_output}.` }),
    ),
  );
  return box;
}

function abilities(page, act) {
  const boxes = page.about.abilities.map((name) =>
    make(
      "label",
      {},
      make("input", {
        type: "checkbox",
        checked: page.selection.abilities.includes(name),
        on: { change: (event) => act.ability(name, event.target.checked) },
      }),
      ` ${name}`,
    ),
  );
  const legend = make("legend", { textContent: "A server that reports" });
  return make("fieldset", { className: "row" }, legend, make("div", { className: "badges" }, ...boxes));
}

function parameter(parameter, act) {
  const id = `parameter-${parameter.name}`;
  const turn = parameter.optional
    ? make("input", {
        type: "checkbox",
        checked: parameter.on,
        attrs: { "aria-label": `Send ${parameter.label}` },
        on: { change: (event) => act.parameter(parameter.name, event.target.checked) },
      })
    : make("span");
  const label = make("label", { htmlFor: id, textContent: parameter.label, title: parameter.help });
  return make("div", { className: "parameter" }, turn, label, parameterControl(parameter, id, act));
}

function parameterControl(parameter, id, act) {
  const number = (event) => act.parameter(parameter.name, Number(event.target.value));
  const text = (event) => act.parameter(parameter.name, event.target.value);
  const range = { min: parameter.minimum, max: parameter.maximum, step: parameter.step || "any" };
  const box = make("div", { className: "control" });
  if (parameter.control === "slider") {
    const attrs = { ...range, "aria-label": `${parameter.label}, slider` };
    box.append(make("input", { type: "range", attrs, value: parameter.value, on: { change: number } }));
  }
  if (["slider", "number"].includes(parameter.control))
    box.append(make("input", { id, type: "number", attrs: range, value: parameter.value, on: { change: number } }));
  else if (parameter.control === "boolean" || parameter.control === "select") {
    const options = parameter.control === "boolean" ? ["true", "false"] : parameter.options;
    const change = (event) =>
      act.parameter(parameter.name, parameter.control === "boolean" ? event.target.value === "true" : event.target.value);
    const select = make("select", { id, on: { change } }, ...options.map((o) => new Option(o, o)));
    select.value = String(parameter.value);
    box.append(select);
  } else if (parameter.control === "textarea")
    box.append(make("textarea", { id, rows: 2, value: parameter.value, on: { change: text } }));
  else if (parameter.control === "text")
    box.append(make("input", { id, type: "text", value: parameter.value, on: { change: text } }));
  return box;
}

function languages(page) {
  const rows = page.view.texts.map((text) =>
    make(
      "tr",
      {},
      make("th", { textContent: text.path, scope: "row" }),
      make("td", { textContent: text.en_US, lang: "en" }),
      text.zh_Hans
        ? make("td", { textContent: text.zh_Hans, lang: "zh-Hans" })
        : make("td", { className: "gap", textContent: "shows English" }),
    ),
  );
  const head = ["Text", "English and every other language", "简体中文"];
  return make(
    "section",
    { className: "card" },
    make("table", {}, make("thead", {}, make("tr", {}, ...head.map((t) => make("th", { textContent: t, scope: "col" })))), make("tbody", {}, ...rows)),
  );
}
